"""A module that needs what is not there."""

import not_installed_anywhere

f = not_installed_anywhere.f
