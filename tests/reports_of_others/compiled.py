"""Reports of steps that give other values when XLA compiles them."""

import tensorflow as tf

L = tf.keras.layers


def erfc_of_cos(x):
    x = tf.raw_ops.Cos(x=x)
    x = tf.raw_ops.Erfc(x=x)
    return tf.raw_ops.Sin(x=x)


def sigmoid(x):
    x = tf.cast(x, tf.bfloat16)
    x = tf.raw_ops.Sigmoid(x=x)
    return tf.cast(x, tf.float32)


def square_of_exp(x):
    x = tf.cast(x, tf.bfloat16)
    x = tf.raw_ops.Exp(x=x)
    x = tf.raw_ops.Square(x=x)
    return tf.cast(x, tf.float32)


def half_product(a, b):
    product = tf.matmul(tf.cast(a, tf.float16), tf.cast(b, tf.float16))
    return tf.cast(product, tf.float32)


def tan_of_cosh(x):
    cosh3 = tf.math.cosh(x)
    cosh6 = tf.math.cosh(cosh3)
    return tf.math.tan(cosh6)


def contrast(images):
    return tf.image.adjust_contrast(images, 1.7)


def product_of_cosh(x):
    h = tf.math.cosh(x)
    return tf.reduce_prod(h, axis=-1)


def sine_of_large(x):
    y = tf.sin(x * 1e6)
    return tf.reduce_sum(y * tf.cos(x * 1e6), axis=-1)


def make_hyper_network():
    hyper = tf.keras.Sequential([L.Input([4]), L.Dense(8), L.Dense(6)])

    def step(x):
        made = hyper(x)
        weights = tf.reshape(made[:, :0], [-1, 3, 0])
        return tf.matmul(weights, tf.zeros([4, 0, 2])) + tf.reshape(made, [-1, 3, 2])

    return step


def is_in_top(scores, target):
    return tf.math.in_top_k(target, scores, 1)


def best(scores):
    return tf.math.argmax(scores)


def largest(scores):
    return tf.reduce_max(scores)


def product_of_exp(a, b):
    return tf.exp(a) * tf.exp(b)


def there_and_back(x):
    return tf.math.log(tf.exp(x))


def root_of_square(x):
    return tf.sqrt(tf.square(x))


def log_of_power(x):
    x = tf.pow(x, x)
    return tf.math.log(x)


def clipped_activation(scores):
    return tf.nn.relu6(scores)


def larger_of_root(x):
    root = tf.sqrt(x)
    return tf.math.maximum(x, root)


def floor_of_tan(x):
    y = tf.tan(tf.atan(x))
    return tf.reduce_sum(tf.floor(y))


def divided_with_rest(x, y):
    whole = tf.math.floordiv(x, y)
    rest = tf.math.floormod(x, y)
    return whole * y + rest


def to_byte(x):
    return tf.cast(x, tf.uint8)


def small_numbers(n):
    base = tf.cast(n, tf.int8)
    p = tf.multiply(base, base)
    return tf.where(p < 0, tf.abs(p), p)


def shift(x, by):
    return tf.bitwise.left_shift(x, by)


def upper_gamma(x):
    return tf.math.igammac(x, x)


def power_of_nothing(x):
    y0 = tf.raw_ops.Softmax(logits=x)
    y1 = tf.sqrt(x)
    return tf.pow(y0, y1)


def cross_entropy(labels, probabilities):
    logits = tf.math.log(probabilities)
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def gather_beyond(params, indices):
    return tf.gather(params, indices)


def gather_nd_beyond(value, indices):
    return tf.gather_nd(value, indices)


def reads_beyond(x):
    ta = tf.TensorArray(dtype=tf.float32, size=3)
    ta = ta.unstack(x)
    return ta.read(0) + ta.read(2)


def segments_beyond(x, ids):
    return tf.math.unsorted_segment_mean(x, ids, 3)


def divided_by_zero(n):
    return tf.math.floordiv(n, tf.zeros_like(n))


def cut_by_zero(n):
    return tf.truncatediv(n, n - n)


def make_lazy_model():
    class Model(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = L.Dense(64, activation="tanh")
            self.dense = L.Dense(4, activation="tanh")

        def call(self, x):
            return self.dense(self.hidden(x))

    return Model()


def stream(x):
    return x + tf.random.stateless_uniform([4], seed=(1, 2), minval=-5, maxval=5)


def moments(x):
    mean, variance = tf.nn.moments(x, [1])
    return (x - mean) / tf.sqrt(variance + 1e-6)


def asserts(x):
    tf.debugging.assert_greater(tf.reduce_sum(tf.abs(x)), 1e9)
    return x * 2.0


def nan_in_the_other_branch(x):
    root = tf.where(x > 0.0, tf.sqrt(x), 0.0)
    largest = tf.where(x > 0.0, tf.math.maximum(tf.sqrt(x), 1.0), tf.math.maximum(root, 0.0))
    return largest, tf.math.maximum(x / x * (x - x) / (x - x), 2.0)


def decides_after_rounding(x):
    halves = tf.cast(x, tf.bfloat16)
    grown = tf.cast(halves * halves + halves, tf.float32)
    return tf.cast(tf.floor(grown * 1000.0), tf.int32)


def halves(x):
    h = tf.cast(x, tf.bfloat16)
    return tf.cast(h * h + h, tf.float32)
