"""The configuration: lexical language, keyword table, diagnostics, typed model, compilation per process."""
