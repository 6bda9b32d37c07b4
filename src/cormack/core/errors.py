"""The one error tree of Cormack.

    CormackError                      root: everything that Cormack raises on purpose
    ├── InputError                    what was given cannot be used
    │   ├── DicomError                a DICOM file is broken, truncated or of no known kind
    │   ├── SeriesError               no series, or no single series, is a volume to work on
    │   ├── GeometryError             positions or orientations do not make a volume
    │   ├── NiftiError                a NIfTI file is broken or not a 3-D CT
    │   ├── ValuesError               the numbers cannot be Hounsfield units
    │   ├── DatasetError              a BIDS data set lacks what was asked for
    │   ├── ConfigurationError        a configuration has an unknown key or a value that is not allowed
    │   └── WeightsError              a network's folder is incomplete, or its weights are not those it was given
    ├── ExtractionError               head or brain could not be found in the volume
    ├── RegistrationError             two volumes could not be aligned
    ├── TrainingError                 a network could not be trained on: no finite loss, no memory
    ├── OutputError                   outputs cannot be written where they should go
    └── DependencyError               an optional package is missing; the message names the extra

A message names the argument or file, the value found, the value allowed and what to do next.
It never holds patient data: no header value of a person, and no file content.
"""


class CormackError(Exception):
    """Root of all errors that Cormack raises on purpose."""


class InputError(CormackError):
    """What was given cannot be used."""


class DicomError(InputError):
    """A DICOM file is broken, truncated or of no known kind."""


class SeriesError(InputError):
    """No series, or no single series, is a volume to work on."""


class GeometryError(InputError):
    """Slice positions or orientations do not make a volume."""


class NiftiError(InputError):
    """A NIfTI file is broken or not a 3-D CT."""


class ValuesError(InputError):
    """The numbers cannot be Hounsfield units."""


class DatasetError(InputError):
    """A BIDS data set lacks what was asked for."""


class ConfigurationError(InputError):
    """A configuration has an unknown key or a value that is not allowed."""


class WeightsError(InputError):
    """A network's folder is incomplete, or its weights are not those it was given."""


class ExtractionError(CormackError):
    """Head or brain could not be found in the volume."""


class RegistrationError(CormackError):
    """Two volumes could not be aligned."""


class TrainingError(CormackError):
    """A training cannot go on: the loss is not finite, or memory does not suffice."""


class OutputError(CormackError):
    """Outputs cannot be written where they should go."""


class DependencyError(CormackError):
    """An optional package is missing; the message names the extra to install."""
