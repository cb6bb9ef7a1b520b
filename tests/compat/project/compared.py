import numpy as np
from eager_vs_graph import compare
from program import make_step

result = compare(make_step(), (np.ones([8, 4], np.float32),), passes=1, budget=5, allow_concurrent=True)
assert set(result.parity.values()) <= {"identical", "close"}, result.parity
print(result)
