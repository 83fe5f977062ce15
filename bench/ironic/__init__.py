"""The reference: Ironic from the package index, measured by the same client in the same run."""
