"""One or two programs from each of several packages."""

import numpy as np
import tensorflow as tf


def gpflow_gpr():
    import gpflow

    rng = np.random.RandomState(0)
    x = rng.rand(30, 1)
    model = gpflow.models.GPR((x, np.sin(6 * x)), gpflow.kernels.SquaredExponential())
    optimizer = tf.keras.optimizers.Adam(0.01)

    def step():
        with tf.GradientTape() as tape:
            loss = model.training_loss()
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step


def gpflow_svgp():
    import gpflow

    z = np.linspace(0, 1, 5)[:, None]
    model = gpflow.models.SVGP(gpflow.kernels.RBF(), gpflow.likelihoods.Bernoulli(), z, num_data=30)

    def elbo(x, y):
        return model.elbo((x, y))

    return elbo


def points():
    rng = np.random.RandomState(1)
    x = rng.rand(30, 1)
    return x, (np.sin(6 * x) > 0).astype(float)


def sonnet_mlp():
    import sonnet as snt

    mlp = snt.Sequential([snt.Linear(16), tf.nn.relu, snt.Linear(4)])
    optimizer = snt.optimizers.Adam(1e-3)

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, mlp(x)))
        optimizer.apply(tape.gradient(loss, mlp.trainable_variables), mlp.trainable_variables)
        return loss

    return step


def sonnet_lstm():
    import sonnet as snt

    lstm = snt.LSTM(8)

    def unroll(x):
        return snt.dynamic_unroll(lstm, x, lstm.initial_state(4))

    return unroll


def keras_hub_bert():
    import keras_hub

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=12,
    )

    def encode(tokens):
        ones = tf.ones_like(tokens)
        return backbone(
            {"token_ids": tokens, "padding_mask": ones, "segment_ids": tf.zeros_like(tokens)}
        )

    return encode


def keras_hub_classifier():
    import keras_hub

    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=100,
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=12,
    )
    return keras_hub.models.BertTextClassifier(backbone, num_classes=3, preprocessor=None)


def keras_hub_batch():
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 99, size=(4, 12)).astype("int32")
    return (
        {
            "token_ids": tokens,
            "padding_mask": np.ones_like(tokens),
            "segment_ids": np.zeros_like(tokens),
        },
    )


def bayesflow_coupling():
    import os

    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import bayesflow as bf

    network = bf.networks.CouplingFlow(depth=2)
    network.build((None, 3), (None, 2))

    def density(x, conditions):
        return network.log_prob(x, conditions=conditions)

    return density


def deepxde_network():
    import os

    os.environ.setdefault("DDE_BACKEND", "tensorflow")
    import deepxde as dde

    net = dde.nn.FNN([2] + [16] * 2 + [1], "tanh", "Glorot normal")

    def laplacian(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = net(x)
            g = inner.gradient(y, x)
        return outer.batch_jacobian(g, x)

    return laplacian


def text_tokenizer():
    import tensorflow_text as text

    tokenizer = text.WhitespaceTokenizer()
    ngrams = text.Reduction.STRING_JOIN

    def f(lines):
        tokens = tokenizer.tokenize(lines)
        return text.ngrams(tokens, 2, reduction_type=ngrams).to_tensor(""), tokens.row_lengths()

    return f


def lines():
    return (tf.constant(["the quick brown fox", "jumps over", "the lazy dog again"]),)


def einops_attention(q, k, v):
    from einops import rearrange

    q, k, v = (rearrange(t, "b n (h d) -> b h n d", h=2) for t in (q, k, v))
    weights = tf.nn.softmax(tf.einsum("bhid,bhjd->bhij", q, k), -1)
    return rearrange(tf.einsum("bhij,bhjd->bhid", weights, v), "b h n d -> b n (h d)")


def tensor_network(a, b):
    import tensornetwork as tn

    tn.set_default_backend("tensorflow")
    x, y = tn.Node(a), tn.Node(b)
    edge = x[1] ^ y[0]
    return tn.contract(edge).tensor


def kymatio_scattering():
    from kymatio.tensorflow import Scattering1D

    scattering = Scattering1D(J=3, shape=256, Q=4)

    def f(x):
        return scattering(x)

    return f


def keras_tcn():
    from tcn import TCN
    from tensorflow import keras

    inputs = keras.Input([16, 2])
    outputs = keras.layers.Dense(1)(TCN(8, dilations=[1, 2])(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    return model


def keras_rs_ranking():
    import keras
    import keras_rs

    layer = keras_rs.layers.FeatureCross(projection_dim=4)
    dense = keras.layers.Dense(1)

    def f(x):
        return dense(layer(x, x))

    return f
