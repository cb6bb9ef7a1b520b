"""Reports of steps that give other values once Grappler has rewritten their graph."""

import tensorflow as tf

L = tf.keras.layers


def smallest_of_relu(x):
    return tf.argmin(tf.nn.relu(x), axis=-1)


def largest_of_tanh(x):
    return tf.argmax(tf.math.tanh(x), axis=-1)


def log_loss(p):
    epsilon = 1e-9
    return -tf.math.log((1 - p) + epsilon)


def checks_for_nan(x):
    return tf.math.is_nan(x * 0.0)


def rate_and_back(x):
    return tf.math.reciprocal(tf.math.reciprocal(x))


def negative_log_probability(a, b, target):
    return -tf.reduce_mean(
        tf.reduce_sum(
            tf.math.log(a * b)
            + (a - 1) * tf.math.log(target + 1e-8)
            + (b - 1) * tf.math.log((1 - target**a) + 1e-8),
            axis=-1,
        )
    )


def soft_plus(x):
    return tf.math.log(1.0 + tf.exp(x))


def make_residual_training():
    image = tf.keras.Input([8, 8, 3])
    h = L.Conv2D(4, 3, padding="same")(image)
    h = L.BatchNormalization()(h)
    h = L.ReLU()(h)
    h = L.Add()([h, L.Conv2D(4, 1)(image)])
    h = L.GlobalAveragePooling2D()(h)
    model = tf.keras.Model(image, L.Dense(3)(h))
    optimizer = tf.keras.optimizers.Adam(0.01)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def step(x, labels):
        with tf.GradientTape() as tape:
            value = loss(labels, model(x, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return value

    return step


def make_model_of_dense():
    class Net(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = L.Dense(64, activation="gelu")
            self.out = L.Dense(1)

        def call(self, x):
            return self.out(self.hidden(x))

    return Net()


def scaled_twice(x):
    return x / 3.0 / 7.0


def cancels(x):
    return (x + 1e8) - 1e8


def decides_on_cancelled(x):
    kept = (x + 1e8) - 1e8
    return tf.where(kept > 0.0, 1, 0)


def inverse_root(x):
    return tf.pow(x, -0.5)


def bucket(x):
    return tf.cast(tf.floor(x / 0.1 / 10.0), tf.int32)


def largest_of_floor(x):
    return tf.argmax(tf.floor(x), axis=-1)


def reverse(x):
    return 1.0 / x
