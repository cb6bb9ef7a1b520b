"""Functions as users write them, in which every mode gives the same: nothing may be claimed."""

import tensorflow as tf

L = tf.keras.layers


def affine(x):
    return x * 2.0 + 1.0


def matrix(x):
    return tf.matmul(x, x, transpose_b=True)


def masked(x):
    return tf.where(x > 0.0, x, 0.0)


def loop(x):
    for _ in tf.range(5):
        x = x * 0.5
    return x


def branch(x):
    if tf.reduce_sum(x) > 0:
        return x * 2.0
    return x * 3.0


def gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x)
    return tape.gradient(y, x)


total = tf.Variable(0.0)


def accumulates(x):
    return total.assign_add(tf.reduce_sum(x))


def stateless(x):
    return x + tf.random.stateless_normal([4], seed=[1, 2])


generator = tf.random.Generator.from_seed(3)


def own_generator(x):
    return x + generator.normal([4])


def integers(n):
    return tf.reduce_sum(n * 3 + 1)


def strings(s):
    return tf.strings.length(s)


def zeros(x):
    return tf.zeros([3], tf.float32)


def nothing_depends(x):
    return {"x": x, "n": tf.constant(3)}


table = [0.5, 1.5, 2.5]


def reads_a_list(x):
    return x * sum(table)


def sum_that_is_zero(x):
    return tf.reduce_sum(x - tf.reduce_mean(x))


def make_dense():
    return tf.keras.Sequential([L.Input([4]), L.Dense(3), L.Dense(2)])


def make_dropout_off():
    return tf.keras.Sequential([L.Input([4]), L.Dense(3), L.Dropout(0.5)])


def make_lstm():
    return tf.keras.Sequential([L.Input([5, 3]), L.LSTM(4), L.Dense(2)])


def make_step():
    model = tf.keras.Sequential([L.Input([4]), L.Dense(8, "relu"), L.Dense(1)])
    optimizer = tf.keras.optimizers.Adam(1e-3)

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True)))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return step


def make_norm():
    model = tf.keras.Sequential([L.Input([4]), L.Dense(8, use_bias=False), L.BatchNormalization()])

    def step(x):
        return model(x, training=True)

    return step


def sorts(x):
    return tf.sort(x), tf.argsort(x, stable=True)


def complex_numbers(x):
    return tf.abs(tf.signal.fft(tf.cast(x, tf.complex64)))


def ragged(n):
    return tf.RaggedTensor.from_row_lengths(n, [2, 1, 1]).to_tensor()


def text_of(s):
    return tf.strings.join([s, "!"])
