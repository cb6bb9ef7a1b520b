"""What looks like the reports and agrees: nothing may be claimed about it."""

import tensorflow as tf

L = tf.keras.layers


def argmin_without_ties(x):
    return tf.argmin(tf.nn.relu(x + 10.0), axis=-1)


def stable_soft_plus(x):
    return tf.nn.softplus(x)


def log_loss_with_large_epsilon(x):
    return tf.maximum(x, 0.5) * 2.0


def lambdas_with_their_value(x):
    fns = []
    for i in range(3):
        fns.append(lambda i=i: x * float(i))
    return fns[0]() + fns[1]()


def tensor_array(x):
    kept = tf.TensorArray(tf.float32, size=3)
    for i in tf.range(3):
        kept = kept.write(i, x * tf.cast(i, tf.float32))
    return kept.stack()


def backtest_with_tensors(x):
    holding = tf.constant(False)
    profit = 0.0
    for price in x:
        if holding:
            profit += price
        holding = tf.logical_not(holding)
    return profit


count = tf.Variable(0.0)


def counts_in_a_variable(x):
    count.assign_add(1.0)
    return x * count


def length_in_the_graph(x):
    kept = tf.boolean_mask(x, x > 0)
    return tf.reduce_sum(kept) * tf.cast(tf.shape(kept)[0], tf.float32)


def stateless(x):
    return x + tf.random.stateless_uniform([4], seed=[1, 2])


generator = tf.random.Generator.from_seed(1)


def with_a_generator(x):
    return x + generator.uniform([4])


def make_dropout_for_inference():
    return tf.keras.Sequential([L.Input([4]), L.Dropout(0.5), L.Rescaling(2.0)])


def clipped_byte(x):
    return tf.cast(tf.clip_by_value(x, 0.0, 255.0), tf.uint8)


def safe_where(x):
    positive = tf.where(x > 0.0, x, 1.0)
    return tf.where(x > 0.0, positive * 2.0, 0.0)


def gathers_within(x):
    return tf.gather(x, [0, 3, 1])


def whole_numbers(n):
    return tf.reduce_sum(n * n) // 7


def shifts_within(n):
    return tf.bitwise.left_shift(n, tf.ones_like(n))


def sorted_and_ranked(x):
    return tf.sort(x), tf.argsort(x, stable=True)


def early_return(x):
    if tf.reduce_sum(x) > 0:
        return x * 2.0
    return x * 4.0


def breaks(x):
    total = tf.zeros_like(x)
    for i in tf.range(10):
        if i > 3:
            break
        total += x
    return total


def largest_of_numbers(x):
    return tf.reduce_max(x), tf.argmax(x)


table = tf.constant([1.0, 2.0, 4.0, 8.0])


def reads_a_constant(x):
    return x * table


def gradient_of_square(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x)
    return tape.gradient(y, x)


def words(s):
    return tf.strings.upper(tf.strings.join([s, "!"]))


def make_momentum():
    weight = tf.Variable(tf.ones([4]))
    speed = tf.Variable(tf.zeros([4]))

    def step(x):
        speed.assign(0.5 * speed + x)
        weight.assign_sub(0.25 * speed)
        return tf.reduce_sum(weight)

    return step


def asserts_what_holds(x):
    tf.debugging.assert_greater(tf.reduce_sum(tf.abs(x)) + 1.0, 0.0)
    return x * 2.0
