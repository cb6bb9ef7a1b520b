"""Sequences: recurrent nets, attention, masks, text."""

import tensorflow as tf
from tensorflow import keras


def lstm_with_mask():
    inputs = keras.Input([None], dtype="int32")
    x = keras.layers.Embedding(50, 8, mask_zero=True)(inputs)
    x = keras.layers.Bidirectional(keras.layers.LSTM(8))(x)
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


class Seq2Seq(tf.keras.Model):
    """Encoder, attention, decoder, teacher forcing."""

    def __init__(self, vocabulary=30, units=8):
        super().__init__()
        self.embed = keras.layers.Embedding(vocabulary, units)
        self.encoder = keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.cell = keras.layers.GRUCell(units)
        self.attention = keras.layers.Attention()
        self.head = keras.layers.Dense(vocabulary)

    def call(self, inputs):
        source, target = inputs
        memory, state = self.encoder(self.embed(source))
        states, outputs = [state], []
        for t in range(target.shape[1]):
            context = self.attention([states[0][:, None], memory])[:, 0]
            x = tf.concat([self.embed(target[:, t]), context], -1)
            out, states = self.cell(x, states)
            outputs.append(self.head(out))
        return tf.stack(outputs, 1)


def seq2seq():
    model = Seq2Seq()

    def forward(source, target):
        return model((source, target))

    return forward


class Block(keras.layers.Layer):
    def __init__(self, dim=16):
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(2, dim // 2)
        self.norm1 = keras.layers.LayerNormalization()
        self.norm2 = keras.layers.LayerNormalization()
        self.mlp = keras.Sequential([keras.layers.Dense(2 * dim, "gelu"), keras.layers.Dense(dim)])

    def call(self, x):
        x = self.norm1(x + self.attention(x, x, use_causal_mask=True))
        return self.norm2(x + self.mlp(x))


def transformer():
    inputs = keras.Input([12], dtype="int32")
    x = keras.layers.Embedding(40, 16)(inputs) + keras.layers.Embedding(12, 16)(tf.range(12))
    for _ in range(2):
        x = Block()(x)
    model = keras.Model(inputs, keras.layers.Dense(40)(x))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def ragged_mean(words):
    """Ragged tensors, from strings."""
    tokens = tf.strings.split(words)
    lengths = tf.cast(tf.strings.length(tokens), tf.float32)
    return tf.reduce_mean(lengths, axis=1), tokens.row_lengths()


def words():
    return (tf.constant(["the quick fox", "jumps", "over the lazy old dog"]),)


def text_vectorization():
    layer = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=5)
    layer.adapt(["the quick fox", "the dog", "a lazy dog"])
    embed = keras.layers.Embedding(20, 4)

    def f(text):
        return embed(layer(text))

    return f


def beam_search(logits):
    """A greedy decoder with a while loop."""
    length = tf.shape(logits)[0]
    best = tf.TensorArray(tf.int64, size=length)
    i = tf.constant(0)
    while i < length:
        best = best.write(i, tf.argmax(logits[i]))
        i += 1
    return best.stack()


def ctc(logits):
    labels = tf.constant([[1, 2, 3], [2, 1, 0]])
    return tf.nn.ctc_loss(
        labels,
        tf.transpose(logits, [1, 0, 2]),
        label_length=[3, 2],
        logit_length=[6, 6],
        blank_index=-1,
    )
