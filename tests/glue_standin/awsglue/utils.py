"""Job parameters."""


def getResolvedOptions(argv: list[str], names: list[str]) -> dict[str, str]:
    """The values of --NAME VALUE pairs; every name has to be given, as on Glue."""
    given = dict(zip((each.removeprefix("--") for each in argv[1::2]), argv[2::2], strict=True))
    if missing := set(names) - given.keys():
        raise SystemExit(f"the following arguments are required: {sorted(missing)}")
    return {name: given[name] for name in names}
