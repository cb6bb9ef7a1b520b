"""Training loops as people write them: a data set, a model, a tape."""

import numpy as np
import tensorflow as tf
from tensorflow import keras


def tf_data_loop():
    """One step takes the next batch from a shuffled data set."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(128, 20)).astype("float32")
    labels = rng.integers(0, 3, size=128)
    dataset = (
        tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(128, seed=1).batch(16).repeat()
    )
    batches = iter(dataset)
    model = keras.Sequential(
        [keras.layers.Input([20]), keras.layers.Dense(16, "relu"), keras.layers.Dense(3)]
    )
    optimizer = keras.optimizers.Adam(1e-3)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def step():
        x, y = next(batches)
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step


def epoch_in_one_step():
    """The whole epoch in a Python loop over a data set."""
    data = tf.data.Dataset.from_tensor_slices(np.arange(32, dtype="float32").reshape(8, 4)).batch(2)
    weights = tf.Variable(tf.ones([4, 1]))

    def epoch():
        total = tf.constant(0.0)
        for batch in data:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((batch @ weights) ** 2)
            weights.assign_sub(1e-4 * tape.gradient(loss, weights))
            total += loss
        return total

    return epoch


class Environment:
    """A cart on a rail, in Python."""

    def __init__(self):
        self.state = np.zeros(4, np.float32)
        self.steps = 0

    def step(self, action):
        self.state = np.clip(self.state + 0.1 * (2 * action - 1), -1, 1).astype(np.float32)
        self.steps += 1
        return self.state, np.float32(1.0 - abs(self.state[0])), self.steps % 10 == 0


def dqn():
    """Deep Q-learning with a Python environment behind tf.numpy_function."""
    environment = Environment()
    network = keras.Sequential(
        [keras.layers.Input([4]), keras.layers.Dense(16, "relu"), keras.layers.Dense(2)]
    )
    target = keras.models.clone_model(network)
    target.set_weights(network.get_weights())
    optimizer = keras.optimizers.Adam(1e-3)

    def act(action):
        state, reward, done = environment.step(int(action))
        return state, reward, np.float32(done)

    def step(state):
        action = tf.argmax(network(state), axis=1)[0]
        new_state, reward, done = tf.numpy_function(
            act, [action], [tf.float32, tf.float32, tf.float32]
        )
        new_state = tf.ensure_shape(new_state, [4])[None]
        wanted = reward + 0.99 * (1.0 - done) * tf.reduce_max(target(new_state))
        with tf.GradientTape() as tape:
            loss = tf.square(wanted - network(state)[0, action])
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        return loss, new_state

    return step


def gan():
    """Generator and discriminator with an optimizer each."""
    generator = keras.Sequential(
        [keras.layers.Input([8]), keras.layers.Dense(16, "relu"), keras.layers.Dense(4)]
    )
    discriminator = keras.Sequential(
        [keras.layers.Input([4]), keras.layers.Dense(16, "relu"), keras.layers.Dense(1)]
    )
    generator_optimizer = keras.optimizers.Adam(1e-4)
    discriminator_optimizer = keras.optimizers.Adam(1e-4)
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True)

    def step(real, noise):
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = generator(noise, training=True)
            real_output, fake_output = discriminator(real), discriminator(fake)
            g_loss = loss_of(tf.ones_like(fake_output), fake_output)
            d_loss = loss_of(tf.ones_like(real_output), real_output) + loss_of(
                tf.zeros_like(fake_output), fake_output
            )
        generator_optimizer.apply_gradients(
            zip(
                g_tape.gradient(g_loss, generator.trainable_variables),
                generator.trainable_variables,
            )
        )
        discriminator_optimizer.apply_gradients(
            zip(
                d_tape.gradient(d_loss, discriminator.trainable_variables),
                discriminator.trainable_variables,
            )
        )
        return g_loss, d_loss

    return step


class VAE(keras.Model):
    """A variational autoencoder with a train_step of its own."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.layers.Dense(8)
        self.decoder = keras.layers.Dense(12)
        self.seed = keras.random.SeedGenerator(7)
        self.tracker = keras.metrics.Mean("loss")

    def call(self, x):
        mean, log_var = tf.split(self.encoder(x), 2, axis=1)
        z = mean + tf.exp(0.5 * log_var) * keras.random.normal(tf.shape(mean), seed=self.seed)
        return self.decoder(z), mean, log_var

    def train_step(self, data):
        x = data[0] if isinstance(data, tuple) else data
        with tf.GradientTape() as tape:
            decoded, mean, log_var = self(x)
            kl = -0.5 * tf.reduce_mean(1 + log_var - mean**2 - tf.exp(log_var))
            loss = tf.reduce_mean((x - decoded) ** 2) + kl
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        )
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


def vae():
    model = VAE()
    model.compile(keras.optimizers.Adam(1e-3))
    model.build((None, 12))
    return model


def mixed_precision():
    """Float16 with a loss scale."""
    policy = keras.mixed_precision.DTypePolicy("mixed_float16")
    model = keras.Sequential(
        [
            keras.layers.Input([16]),
            keras.layers.Dense(32, "relu", dtype=policy),
            keras.layers.Dense(4, dtype="float32"),
        ]
    )
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    return step


def embeddings():
    """Sparse gradients of an embedding."""
    table = tf.Variable(tf.random.stateless_normal([1000, 16], [1, 2]), name="table")
    optimizer = keras.optimizers.Adagrad(0.1)

    def step(ids):
        with tf.GradientTape() as tape:
            rows = tf.nn.embedding_lookup(table, ids)
            loss = tf.reduce_mean(tf.reduce_sum(rows**2, -1))
        optimizer.apply_gradients([(tape.gradient(loss, table), table)])
        return loss

    return step


def gradient_accumulation():
    model = keras.Sequential([keras.layers.Input([8]), keras.layers.Dense(1)])
    accumulated = [
        tf.Variable(tf.zeros_like(v), trainable=False) for v in model.trainable_variables
    ]
    optimizer = keras.optimizers.SGD(0.1)
    count = tf.Variable(0)

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x) - y) ** 2)
        for total, gradient in zip(accumulated, tape.gradient(loss, model.trainable_variables)):
            total.assign_add(gradient)
        count.assign_add(1)
        if count % 2 == 0:
            optimizer.apply_gradients(
                [(total / 2.0, v) for total, v in zip(accumulated, model.trainable_variables)]
            )
            for total in accumulated:
                total.assign(tf.zeros_like(total))
        return loss

    return step


def metrics_and_clipping():
    model = keras.Sequential(
        [keras.layers.Input([8]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)]
    )
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=1e-2)
    accuracy = keras.metrics.SparseCategoricalAccuracy()

    def step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        gradients, norm = tf.clip_by_global_norm(
            tape.gradient(loss, model.trainable_variables), 0.5
        )
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        accuracy.update_state(y, logits)
        return {"loss": loss, "norm": norm, "accuracy": accuracy.result()}

    return step
