"""Keras models as people write them."""

import keras
import tensorflow as tf


def make_functional():
    inputs = keras.Input((12,))
    hidden = keras.layers.Dense(16, activation="relu")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Classifier(keras.Model):
    """Subclassed, with dropout and batch normalisation; built by its first call."""

    def __init__(self, classes=3):
        super().__init__()
        self.hidden = keras.layers.Dense(16)
        self.norm = keras.layers.BatchNormalization()
        self.drop = keras.layers.Dropout(0.5)
        self.blocks = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(classes)]

    def call(self, x, training=False):
        x = self.drop(self.norm(self.hidden(x), training=training), training=training)
        for block in self.blocks:
            x = block(x)
        return x


def make_subclassed():
    model = Classifier()
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def make_uncompiled():
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])


def make_step():
    """A training step of one's own, with Adam; nothing is built before its first call."""
    model = Classifier()
    optimizer = keras.optimizers.Adam(1e-2)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    accuracy = keras.metrics.SparseCategoricalAccuracy()

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_of(y, logits)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        accuracy.update_state(y, logits)
        return {"loss": loss, "accuracy": accuracy.result()}

    return train_step


class Iterate(tf.Module):
    """A tf.Module whose step is a tf.while_loop."""

    def __init__(self):
        super().__init__()
        self.rate = tf.Variable(0.1, name="rate")
        self.parts = [tf.Variable(1.0), {"bias": tf.Variable(0.5)}]

    @tf.function
    def step(self, x):
        def body(i, y):
            return i + 1, y - self.rate * (y * y - x) + self.parts[1]["bias"] * 0.0

        _, root = tf.while_loop(lambda i, y: i < 10, body, [0, tf.ones_like(x) * self.parts[0]])
        self.rate.assign(self.rate * 0.99)
        return root

    __call__ = step


def make_module():
    return Iterate()
