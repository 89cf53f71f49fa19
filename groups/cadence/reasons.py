"""Why a cadence cannot be; the text of each is what the leader reads."""


class CadenceCannotBe(ValueError):
    """A plan that has no dates, or none that make sense."""


class RuleCannotBe(CadenceCannotBe):
    """A rule that some months or weeks cannot follow."""


class BreakCannotBe(CadenceCannotBe):
    """A break that ends before it begins, or was not understood."""
