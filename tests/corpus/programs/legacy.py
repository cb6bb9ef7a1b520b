"""Keras 2: what TFRS, TF-Ranking and many TFP users still need."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf


def make_model():
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Input([8]),
            tf.keras.layers.Dense(4, activation="relu"),
            tf.keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model


def make_step():
    dense = tf.keras.layers.Dense(3)
    optimizer = tf.keras.optimizers.Adam(0.01)

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(dense(x) ** 2)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, dense.trainable_variables), dense.trainable_variables)
        )
        return loss

    return step


def two_tower():
    import tensorflow_recommenders as tfrs

    user = tf.keras.Sequential([tf.keras.layers.Embedding(20, 8)])
    item = tf.keras.Sequential([tf.keras.layers.Embedding(30, 8)])
    task = tfrs.tasks.Retrieval()
    optimizer = tf.keras.optimizers.Adagrad(0.1)

    def step(users, items):
        with tf.GradientTape() as tape:
            loss = task(user(users), item(items), compute_metrics=False)
        variables = user.trainable_variables + item.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    return step


def dense_variational():
    import tensorflow_probability as tfp

    model = tf.keras.Sequential(
        [tf.keras.layers.InputLayer([8]), tfp.layers.DenseFlipout(4), tf.keras.layers.Dense(1)]
    )

    def f(x):
        return model(x)

    return f


def huggingface_bert():
    from transformers import BertConfig, TFBertModel

    config = BertConfig(
        vocab_size=100,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
    )
    model = TFBertModel(config)

    def encode(tokens):
        return model(input_ids=tokens).last_hidden_state

    return encode


def huggingface_gpt2():
    from transformers import GPT2Config, TFGPT2LMHeadModel

    model = TFGPT2LMHeadModel(
        GPT2Config(vocab_size=100, n_positions=12, n_embd=16, n_layer=2, n_head=2)
    )
    optimizer = tf.keras.optimizers.Adam(1e-3)

    def step(tokens):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(input_ids=tokens, labels=tokens, training=False).loss)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step
