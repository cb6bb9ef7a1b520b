"""Causes as people report them: other ops and other styles than the rest of the folder."""

import datetime

import noise_helpers
import numpy as np
import tensorflow as tf
from noise_helpers import jittered

from eager_vs_graph import Scenario, Size

X = np.array([1.0, 2.0, 3.0, 4.0], np.float32)


class One(Scenario):
    """What these scenarios share: a vector, and a reference in NumPy that may not fit."""

    values = X

    def inputs(self, rng):
        return [{"x": np.array(self.values, np.float32)}]


class ArgminOfRelu(One):
    """tensorflow/tensorflow#118374."""

    name = "argmin_of_relu"
    sizes = {"tiny": Size()}
    values = [3.0, -2.0, -7.0, 4.0, -1.0]

    def step(self, x):
        return {"least": tf.argmin(tf.nn.relu(x))}

    def reference(self, state, x):
        return {"least": np.argmin(np.maximum(x, 0))}


class AddAndTakeAway(One):
    """Two constants that cancel each other: the graph adds them first, which is right."""

    name = "add_and_take_away"
    sizes = {"tiny": Size()}
    values = [1.0, 2.5, 3.25, 5.0]

    def step(self, x):
        return {"y": (x + 1e8) - 1e8}

    def reference(self, state, x):
        return {"y": x}


class Thirds(One):
    """Two divisions by constants become one product."""

    name = "divided_by_constant"
    sizes = {"tiny": Size()}
    values = np.linspace(1, 50, 64)

    def step(self, x):
        return {"y": x / 3.0 / 7.0}

    def reference(self, state, x):
        return {"y": x / 21}


class InverseRoot(One):
    """Powers become rsqrt and products."""

    name = "power_minus_half"
    sizes = {"tiny": Size()}
    values = np.linspace(0.1, 50, 64)

    def step(self, x):
        return {"y": tf.pow(x, -0.5), "cube": tf.pow(x, 3.0)}

    def reference(self, state, x):
        return {"y": x**-0.5, "cube": x**3}


class CastNan(One):
    """tensorflow/tensorflow#126212."""

    name = "cast_of_nan"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": tf.cast(tf.minimum(tf.math.asin(x), 0.8), tf.int32)}

    def reference(self, state, x):
        with np.errstate(all="ignore"):
            return {"y": np.minimum(np.arcsin(x), 0.8).astype(np.int32)}


class CastToByte(One):
    """tensorflow/tensorflow#121242."""

    name = "cast_to_byte"
    sizes = {"tiny": Size()}
    values = [-1.0, -0.5, 0.5, 1.5, 255.0, 256.0]

    def step(self, x):
        return {"y": tf.cast(x, tf.uint8)}

    def reference(self, state, x):
        return {"y": x.astype(np.int64).astype(np.uint8)}


class TopOfNan(One):
    """tensorflow/tensorflow#119438."""

    name = "top_of_nan"
    sizes = {"tiny": Size()}
    values = [1.0, 2.0, 3.0, np.nan]

    def step(self, x):
        best = tf.nn.top_k(x, k=3)
        return {"values": best.values, "indices": best.indices}

    def reference(self, state, x):
        return {"values": np.array([3.0, 2.0, 1.0]), "indices": np.array([2, 1, 0])}


class HalfChain(One):
    """A chain in bfloat16, which XLA computes in float32."""

    name = "half_precision_chain"
    sizes = {"tiny": Size()}
    values = np.linspace(0.1, 5, 64)

    def step(self, x):
        h = tf.cast(x, tf.bfloat16)
        for _ in range(4):
            h = h * h / (h + tf.cast(1.0, tf.bfloat16))
        return {"y": tf.cast(h, tf.float32)}

    def reference(self, state, x):
        for _ in range(4):
            x = x * x / (x + 1)
        return {"y": x}


class Holder:
    """Counts."""

    def __init__(self):
        self.value = 0


class ObjectState(One):
    """tensorflow/tensorflow#31362."""

    name = "object_counts"
    sizes = {"tiny": Size()}

    def build(self):
        self.holder = Holder()

    def step(self, x):
        self.holder.value += 1
        return {"y": x * float(self.holder.value)}

    def reference(self, state, x):
        return {"y": x}


class Stats(One):
    """Counters in a dictionary."""

    name = "dictionary_counts"
    sizes = {"tiny": Size()}

    def build(self):
        self.stats = {"calls": 0, "history": []}

    def step(self, x):
        self.stats["calls"] += 1
        self.stats["history"].append(self.stats["calls"])
        return {"y": x + float(len(self.stats["history"]))}

    def reference(self, state, x):
        return {"y": x}


class CoinFlip(One):
    """A Python `if` on what NumPy draws."""

    name = "numpy_coin"
    sizes = {"tiny": Size()}
    parity_steps = 8

    def step(self, x):
        if np.random.rand() > 0.5:
            return {"y": x}
        return {"y": -x}

    def reference(self, state, x):
        return {"y": x}


class Now(One):
    """The time of the trace, for ever."""

    name = "stamped"
    sizes = {"tiny": Size()}

    def step(self, x):
        stamp = datetime.datetime.now().microsecond
        return {"y": x + float(stamp)}

    def reference(self, state, x):
        return {"y": x}


class Annealed:
    """A layer of the author's, with Python state."""

    def __init__(self):
        self.temperature = 1.0

    def __call__(self, x):
        self.temperature = max(0.1, self.temperature * 0.5)
        return tf.nn.softmax(x / self.temperature)


class AnnealedLayer(One):
    """A helper object's temperature, lowered in each call."""

    name = "annealed_layer"
    sizes = {"tiny": Size()}

    def build(self):
        self.layer = Annealed()

    def step(self, x):
        return {"y": self.layer(x)}

    def reference(self, state, x):
        return {"y": np.exp(x) / np.exp(x).sum()}


class KerasCounter(tf.keras.layers.Layer):
    """A Keras layer that counts its calls in Python."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, x):
        self.calls += 1
        return x * float(self.calls)


class LayerCounter(One):
    """The count of a Keras layer. tensorflow/tensorflow#44980."""

    name = "keras_layer_counts"
    sizes = {"tiny": Size()}

    def build(self):
        self.layer = KerasCounter()
        self.layer.build((4,))

    def step(self, x):
        return {"y": self.layer(x)}

    def reference(self, state, x):
        return {"y": x}


class NnDropout(One):
    """Dropout without a seed."""

    name = "nn_dropout"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": tf.nn.dropout(x, 0.5)}

    def reference(self, state, x):
        return {"y": x}


class TruncatedInHelper(One):
    """Seeded noise, drawn twice, in a closure."""

    name = "truncated_in_helper"
    sizes = {"tiny": Size()}

    def build(self):
        def jitter(v):
            return v + tf.random.truncated_normal(tf.shape(v), seed=9)

        self.jitter = jitter

    def step(self, x):
        return {"y": self.jitter(self.jitter(x))}

    def reference(self, state, x):
        return {"y": x}


class StaticIf(One):
    """Batches of two lengths, and a branch on the static length."""

    name = "batch_decides"
    sizes = {"tiny": Size()}

    def inputs(self, rng):
        return [{"x": np.ones(4, np.float32)}, {"x": np.ones(8, np.float32)}]

    def step(self, x):
        big = len(x.shape) == 1 and (x.shape[0] or 0) > 4
        return {"y": tf.reduce_sum(x) * (0.5 if big else 1.0)}

    def reference(self, state, x):
        return {"y": np.sum(x) * (0.5 if len(x) > 4 else 1.0)}


class UniqueCount(One):
    """A mean over what is unique, by the static length."""

    name = "unique_length"
    sizes = {"tiny": Size()}
    values = [1.0, 1.0, 2.0, 3.0]

    def step(self, x):
        found, _index = tf.unique(x)
        n = found.shape[0]
        return {"mean": tf.reduce_sum(found) / (4.0 if n is None else float(n))}

    def reference(self, state, x):
        return {"mean": np.mean(np.unique(x))}


class InsideFunction(One):
    """TensorFlow's other question after the mode."""

    name = "inside_function"
    sizes = {"tiny": Size()}

    def step(self, x):
        scale = 3.0 if tf.inside_function() else 2.0
        return {"y": x * scale}

    def reference(self, state, x):
        return {"y": x * 2}


class DatasetNext(One):
    """An iterator over a dataset, whose place nobody puts back."""

    name = "dataset_next"
    sizes = {"tiny": Size()}

    def build(self):
        self.batches = iter(tf.data.Dataset.range(1000).map(lambda i: tf.cast(i, tf.float32)))

    def step(self, x):
        return {"y": x + next(self.batches)}

    def reference(self, state, x):
        return {"y": x}


class HelperCounts(One):
    """A counter in a module beside this one."""

    name = "helper_counts"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": x * noise_helpers.next_scale()}

    def reference(self, state, x):
        return {"y": x}


class HelperDraws(One):
    """A generator of NumPy's in a module beside this one."""

    name = "helper_draws"
    sizes = {"tiny": Size()}

    def step(self, x):
        return {"y": jittered(x)}

    def reference(self, state, x):
        return {"y": x}
