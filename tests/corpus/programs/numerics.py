"""Numerical programs: solvers, filters, samplers."""

import numpy as np
import tensorflow as tf


def line_search(x):
    """Backtracking line search, with a data-dependent loop."""

    def f(z):
        return tf.reduce_sum((z - 1.0) ** 4 + 0.5 * z**2)

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = f(x)
    gradient = tape.gradient(value, x)
    step = tf.constant(1.0)
    while f(x - step * gradient) > value - 1e-4 * step * tf.reduce_sum(gradient**2):
        step *= 0.5
    return x - step * gradient, step


def runge_kutta(y):
    def rhs(t, z):
        return tf.stack([z[1], (1.0 - z[0] ** 2) * z[1] - z[0]]) + 0.0 * t

    h = 0.05
    for i in tf.range(20):
        t = tf.cast(i, tf.float32) * h
        k1 = rhs(t, y)
        k2 = rhs(t + h / 2, y + h / 2 * k1)
        k3 = rhs(t + h / 2, y + h / 2 * k2)
        k4 = rhs(t + h, y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y


def kalman(observations):
    a = tf.constant([[1.0, 1.0], [0.0, 1.0]])
    h = tf.constant([[1.0, 0.0]])
    q, r = 0.01 * tf.eye(2), tf.constant([[0.5]])

    def step(carry, z):
        m, p = carry
        m, p = a @ m, a @ p @ tf.transpose(a) + q
        s = h @ p @ tf.transpose(h) + r
        k = tf.transpose(tf.linalg.solve(s, h @ p))
        return m + k @ (z[None, None] - h @ m), (tf.eye(2) - k @ h) @ p

    means, covariances = tf.scan(step, observations, (tf.zeros([2, 1]), tf.eye(2)))
    return means[..., 0], covariances


class Langevin(tf.Module):
    """A sampler that owns its random generator."""

    def __init__(self):
        self.generator = tf.random.Generator.from_seed(3)
        self.position = tf.Variable(tf.zeros([5]))

    def __call__(self):
        with tf.GradientTape() as tape:
            energy = 0.5 * tf.reduce_sum(self.position**2)
        gradient = tape.gradient(energy, self.position)
        noise = self.generator.normal([5])
        self.position.assign_sub(0.1 * gradient - np.sqrt(0.2) * noise)
        return energy


def make_langevin():
    return Langevin()


@tf.custom_gradient
def clipped(x):
    def grad(upstream):
        return tf.clip_by_norm(upstream, 0.5)

    return tf.exp(x), grad


def custom_gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = clipped(x)
    return y, tape.gradient(y, x)


def hessian(x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(tf.sin(x) * x**2)
        g = inner.gradient(y, x)
    return outer.jacobian(g, x)


def sinkhorn(cost):
    u = v = tf.zeros([tf.shape(cost)[0]])
    for _ in range(10):
        u = -tf.reduce_logsumexp(v[None, :] - cost, 1)
        v = -tf.reduce_logsumexp(u[:, None] - cost, 0)
    return tf.exp(u[:, None] + v[None, :] - cost)


def conjugate_gradient(matrix, b):
    spd = matrix @ tf.transpose(matrix) + 5.0 * tf.eye(8)
    x, r = tf.zeros_like(b), b
    p, rs = r, tf.reduce_sum(r * r)
    for _ in range(8):
        ap = tf.linalg.matvec(spd, p)
        alpha = rs / tf.reduce_sum(p * ap)
        x, r = x + alpha * p, r - alpha * ap
        new = tf.reduce_sum(r * r)
        p, rs = r + new / rs * p, new
    return x


def image_augmentation(images):
    images = tf.image.resize(images, [20, 20])
    images = tf.image.adjust_contrast(tf.image.flip_left_right(images), 1.3)
    return tf.image.sobel_edges(images)


def spectrogram(signal):
    stft = tf.signal.stft(signal, 64, 32)
    mel = tf.signal.linear_to_mel_weight_matrix(10, stft.shape[-1], 8000)
    return tf.math.log(tf.abs(stft) @ mel + 1e-6)


def sparse_product(x):
    matrix = tf.sparse.from_dense(np.eye(6, dtype=np.float32) * np.arange(1, 7, dtype=np.float32))
    return tf.sparse.sparse_dense_matmul(matrix, x), tf.sparse.reduce_sum(matrix, axis=1)
