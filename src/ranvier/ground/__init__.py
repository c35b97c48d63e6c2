"""Ground floor: what is true on a planet without patients.

Units read at the door, three-valued truth, findings with their reasons, problems with their place and remedy, long work cut into
units.
Must not know: patients, nerves, drugs.
"""
