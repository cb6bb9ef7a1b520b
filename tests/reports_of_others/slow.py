"""Public reports of code that is slow, rebuilt as small programs."""

import io
import time

import numpy as np
import tensorflow as tf


def one_row(n=1):
    return np.ones([n, 10], np.float32)


def make_identity_predict():
    inputs = tf.keras.Input([10])
    model = tf.keras.Model(inputs, tf.keras.layers.Activation("linear")(inputs))

    def run(x):
        return model.predict(x, verbose=0)

    return run


def make_compiled_predict():
    model = tf.keras.Sequential(
        [tf.keras.Input([10]), tf.keras.layers.Dense(32), tf.keras.layers.Dense(2)]
    )
    model.compile("adam", "mse")

    def run(x):
        return model.predict(x, batch_size=1, verbose=0)

    return run


def make_policy():
    model = tf.keras.Sequential(
        [
            tf.keras.Input([5]),
            tf.keras.layers.Dense(10, activation="sigmoid"),
            tf.keras.layers.Dense(2),
        ]
    )
    model.compile("adam", "mse")

    def act(state):
        return np.argmax(model.predict(state, verbose=0))

    def episode(state):
        return tf.constant(act(state) + act(1.0 - state))

    return episode


weights = tf.Variable(tf.ones([64, 64]))


@tf.function
def train_with_number(x, epoch):
    return tf.reduce_sum(tf.tanh(x @ weights)) * epoch


def training_by_epoch(x, epoch):
    return train_with_number(x, epoch)


def epochs():
    for epoch in range(5):
        yield np.ones([8, 64], np.float32), epoch


@tf.function
def square(x):
    return x * x


def squares(x):
    return square(x)


def numbers():
    for number in (1.0, 2.0, 3.0, 4.0):
        yield (number,)


@tf.function
def encode(batch):
    return tf.reduce_mean(tf.nn.relu(batch @ weights), axis=1)


def encode_text(batch):
    return encode(batch)


def lengths():
    for length in (3, 17, 9, 25):
        yield (np.ones([2, length, 64], np.float32),)


def last_batches():
    for rows in (32, 32, 20):
        yield (np.ones([rows, 64], np.float32),)


def beam_search(x):
    for _ in range(200):
        x = tf.tanh(x @ weights) + 0.1 * x
    return x


def slices(inputs):
    total = tf.zeros([4])
    for i in range(16):
        for j in range(32):
            total = total + inputs[i, j, :]
    return total


class Training:
    def __init__(self, width=16, layers=3):
        self.model = tf.keras.Sequential(
            [tf.keras.Input([8])]
            + [tf.keras.layers.Dense(width, activation="relu") for _ in range(layers)]
            + [tf.keras.layers.Dense(1)]
        )
        self.optimizer = tf.keras.optimizers.Adam(1e-3)
        self.optimizer.build(self.model.trainable_variables)

    def step(self, x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.model(x, training=True) - y))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables))
        return loss


def make_tape_training():
    return Training().step


def make_small_batches():
    return Training(width=4, layers=1).step


def make_actor_critic():
    common = tf.keras.Sequential(
        [tf.keras.Input([4]), tf.keras.layers.Dense(32, activation="relu")]
    )
    actor, critic = tf.keras.layers.Dense(2), tf.keras.layers.Dense(1)
    actor.build([None, 32])
    critic.build([None, 32])
    variables = common.trainable_variables + actor.trainable_variables + critic.trainable_variables
    optimizer = tf.keras.optimizers.SGD(0.01)
    optimizer.build(variables)

    def step(states, returns):
        with tf.GradientTape() as tape:
            hidden = common(states)
            probabilities = tf.nn.softmax(actor(hidden))
            values = critic(hidden)
            advantage = returns - values
            loss = tf.reduce_sum(-tf.math.log(probabilities[:, :1]) * advantage)
            loss += tf.reduce_sum(tf.keras.losses.huber(returns, values))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step


def intersections(rows):
    return tf.map_fn(lambda row: tf.reduce_sum(row * row) + tf.reduce_max(row), rows)


def boxes(images):
    def one(image):
        return tf.nn.softmax(tf.reshape(image, [-1]))

    return tf.map_fn(one, images)


def matrix_exponential(x):
    term = tf.eye(8)
    total = tf.eye(8)
    for i in tf.range(1, 30):
        term = term @ x / tf.cast(i, tf.float32)
        total = total + term
    return total


def rollout(state):
    for _ in tf.range(40):
        state = tf.tanh(state @ weights)
    return state


def augmented(x):
    scale = 3
    return tf.numpy_function(lambda a: np.sort(np.abs(a) * scale, axis=1), [x], tf.float32) + 1.0


def decoded(x):
    def decode(value):
        rows = [[float(v) * 2.0 for v in row] for row in value.numpy()]
        return tf.constant(rows)

    return tf.ensure_shape(tf.py_function(decode, [x], tf.float32), x.shape)


def tanh_in_python(x):
    return tf.py_function(lambda value: tf.tanh(value) + tf.sin(value), [x], tf.float32)


def make_mapped_data():
    def compute(tensor):
        for _ in range(8):
            tensor = tf.signal.irfft(tf.signal.rfft(tensor))
        return tensor

    data = tf.data.Dataset.from_tensor_slices(tf.ones([64, 4096])).map(compute).batch(8).repeat()
    iterator = iter(data)

    def step(x):
        return tf.reduce_sum(next(iterator)) + x

    return step


def make_elements():
    iterator = iter(tf.data.Dataset.from_tensor_slices(tf.ones([4096])).repeat())

    def step(x):
        for _ in range(16):
            x = x + next(iterator)
        return x

    return step


def make_from_generator():
    def rows():
        while True:
            yield np.ones([64], np.float32)

    iterator = iter(
        tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec([64])).batch(32)
    )

    def step(x):
        return x + tf.reduce_sum(next(iterator) @ weights)

    return step


def animate(frames):
    @tf.function
    def next_batch(x):
        return tf.tanh(x @ weights)

    return next_batch(frames)


def make_models_again():
    def train(x):
        model = tf.keras.Sequential([tf.keras.Input([10]), tf.keras.layers.Dense(1)])
        return tf.constant(model.predict(x, verbose=0))

    return train


class Trainer:
    def __init__(self):
        self.kernel = tf.Variable(tf.ones([64, 64]))

    @tf.function
    def train(self, x):
        return tf.reduce_sum(x @ self.kernel)


def train_many(x):
    trainer = Trainer()
    return trainer.train(x)


def make_optimizer_in_step():
    model = tf.keras.Sequential([tf.keras.Input([8]), tf.keras.layers.Dense(4)])

    def step(x):
        optimizer = tf.keras.optimizers.SGD(0.01)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step


def make_eager_fit():
    model = tf.keras.Sequential(
        [tf.keras.Input([8])]
        + [tf.keras.layers.Dense(8) for _ in range(6)]
        + [tf.keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse", run_eagerly=True)

    def step(x, y):
        return tf.constant(model.train_on_batch(x, y))

    return step


def loss_of_many_metrics(x):
    total = tf.constant(0.0)
    for k in range(50):
        total = total + tf.reduce_mean(tf.abs(x - 0.1 * k))
    return total


nowhere = io.StringIO()


def printing_step(x):
    for _ in range(20):
        x = tf.tanh(x)
        print("step", x[0, 0], file=nowhere)
    return x


def large_product(a, b):
    return a @ b


def large_loop(a):
    for _ in range(4):
        a = tf.nn.relu(a @ a) * 1e-3
    return a


@tf.function
def traced_once(x):
    return tf.reduce_sum(tf.tanh(x @ weights))


def steady(x):
    return traced_once(x)


def same_calls():
    for _ in range(4):
        yield (np.ones([8, 64], np.float32),)


def make_prefetched():
    iterator = iter(tf.data.Dataset.from_tensors(tf.ones([8, 64])).cache().repeat().prefetch(4))

    def step(x):
        for _ in range(10):
            x = tf.tanh(x @ weights)
        return x + next(iterator)

    return step


def sleeping(x):
    time.sleep(0.002)
    return x + 1.0


def convolution(x, kernel):
    return tf.nn.conv2d(x, kernel, 1, "SAME")
