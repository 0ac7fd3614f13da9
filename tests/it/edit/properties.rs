//! Laws of editing, over generated files.
