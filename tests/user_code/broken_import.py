"""A module with a mistake of its own."""

import numpy

f = numpy.nothing_of_that_name
