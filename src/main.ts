// The composition root: the only file that reads process.env and wires the rooms together.
