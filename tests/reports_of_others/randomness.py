"""Reports of random numbers that are others in a graph."""

import tensorflow as tf

L = tf.keras.layers


def seeded_uniform(x):
    return x + tf.random.uniform([4], seed=1) - tf.random.uniform([4], seed=1)


def unseeded(x):
    return x + tf.random.uniform(shape=[4])


def categorical_in_branch(x):
    choices = []
    for _ in range(3):
        if tf.reduce_sum(x) > -1e9:
            choice = tf.random.categorical(tf.math.log([[0.5, 0.5]]), 4)
        else:
            choice = tf.zeros([1, 4], tf.int64)
        choices.append(choice)
    return tf.concat(choices, 0)


def make_dropout_training():
    model = tf.keras.Sequential([L.Input([4]), L.Dense(16, "relu"), L.Dropout(0.5), L.Dense(1)])
    optimizer = tf.keras.optimizers.SGD(0.1)

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.nn.dropout(model(x), 0.3)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


def shuffles(x):
    return tf.random.shuffle(x)


def set_seed_inside(x):
    tf.random.set_seed(7)
    return x + tf.random.normal([4])


def noise_of_gamma(x):
    return x * tf.random.gamma([4], 2.0)


def in_and_out_of_a_loop(x):
    def body(index, _number):
        return index + 1, tf.random.uniform([1])

    a = tf.random.uniform([1])
    _index, b = tf.while_loop(lambda index, _: index < 1, body, [tf.constant(0), tf.zeros([1])])
    return x + a, x + b
