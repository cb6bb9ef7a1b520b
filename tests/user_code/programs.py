"""Three public kinds of programs, rebuilt from their descriptions."""

import keras
import tensorflow as tf


def make_mnist_convnet():
    """Keras's example "Simple MNIST convnet"."""
    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            keras.layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
            keras.layers.MaxPooling2D(pool_size=(2, 2)),
            keras.layers.Conv2D(16, kernel_size=(3, 3), activation="relu"),
            keras.layers.MaxPooling2D(pool_size=(2, 2)),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


class TextModel(keras.Model):
    """The tutorial "Text generation with an RNN"."""

    def __init__(self, vocabulary, embedding, units):
        super().__init__()
        self.embedding = keras.layers.Embedding(vocabulary, embedding)
        self.gru = keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.dense = keras.layers.Dense(vocabulary)

    def call(self, inputs, states=None, return_state=False, training=False):
        x = self.embedding(inputs, training=training)
        if states is None:
            states = self.gru.get_initial_state(tf.shape(x)[0])
        x, states = self.gru(x, initial_state=states, training=training)
        x = self.dense(x, training=training)
        return (x, states) if return_state else x


class CustomTraining:
    """The tutorial's training loop: an object with a model, a loss, an optimizer and a mean."""

    def __init__(self):
        self.model = TextModel(20, 8, 16)
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.optimizer = keras.optimizers.Adam()
        self.mean = keras.metrics.Mean()

    @tf.function
    def train_step(self, inputs, labels):
        with tf.GradientTape() as tape:
            predictions = self.model(inputs, training=True)
            loss = self.loss(labels, predictions)
        grads = tape.gradient(loss, self.model.trainable_variables)
        grads, _ = tf.clip_by_global_norm(grads, 5.0)
        self.optimizer.apply_gradients(zip(grads, self.model.trainable_variables))
        self.mean.update_state(loss)
        return {"loss": loss, "mean": self.mean.result()}


def make_hmc():
    """A sampler in the way of TensorFlow Probability: Hamiltonian Monte Carlo, stateless seeds."""
    step_size = tf.Variable(0.2, name="step_size")

    def target_log_prob(x):
        return -0.5 * tf.reduce_sum(x * x * tf.constant([1.0, 4.0], x.dtype), axis=-1)

    def value_and_gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = target_log_prob(x)
        return value, tape.gradient(value, x)

    def one_step(state, seed):
        momentum = tf.random.stateless_normal(tf.shape(state), seed, dtype=state.dtype)
        before, gradient = value_and_gradient(state)
        x, p = state, momentum + 0.5 * step_size * gradient
        for i in tf.range(4):
            x = x + step_size * p
            after, gradient = value_and_gradient(x)
            p = p + (1.0 if i < 3 else 0.5) * step_size * gradient
        energy = 0.5 * tf.reduce_sum(momentum**2 - p**2, axis=-1)
        after = target_log_prob(x)
        uniform = tf.random.stateless_uniform(tf.shape(before), seed + 1, dtype=state.dtype)
        accepted = tf.math.log(uniform) < after - before + energy
        new_state = tf.where(accepted[:, None], x, state)
        rate = tf.reduce_mean(tf.cast(accepted, state.dtype))
        step_size.assign(step_size * tf.where(rate > 0.65, 1.02, 0.98))
        return {"state": new_state, "is_accepted": accepted, "log_prob": target_log_prob(new_state)}

    return one_step
