"""The one error tree of Cormack.

    CormackError                      root: everything that Cormack raises on purpose
    ├── InputError                    what was given cannot be used
    │   ├── DicomError                a DICOM file is broken, truncated or of no known kind
    │   ├── SeriesError               no series, or no single series, is a head CT volume
    │   ├── GeometryError             positions or orientations do not make a volume
    │   ├── NiftiError                a NIfTI file is broken or not a 3-D CT
    │   ├── ValuesError               the numbers cannot be Hounsfield units
    │   └── DatasetError              a BIDS data set lacks what was asked for
    ├── ExtractionError               head or brain could not be found in the volume
    ├── RegistrationError             two volumes could not be aligned
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
    """No series, or no single series, is a head CT volume."""


class GeometryError(InputError):
    """Slice positions or orientations do not make a volume."""


class NiftiError(InputError):
    """A NIfTI file is broken or not a 3-D CT."""


class ValuesError(InputError):
    """The numbers cannot be Hounsfield units."""


class DatasetError(InputError):
    """A BIDS data set lacks what was asked for."""


class ExtractionError(CormackError):
    """Head or brain could not be found in the volume."""


class RegistrationError(CormackError):
    """Two volumes could not be aligned."""


class OutputError(CormackError):
    """Outputs cannot be written where they should go."""


class DependencyError(CormackError):
    """An optional package is missing; the message names the extra to install."""
