//! Stories and properties of counting.
