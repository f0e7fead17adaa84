"""Making the rows of plain tables from a model document of `model/single`."""
