//! Switches with a name and a sentence for the command line, each said once.

/// An enum of switches: a variant, its name on the command line, what it does.
macro_rules! named {
    ($(#[$doc:meta])* $switch:ident { $($variant:ident $name:literal $about:literal)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $switch {
            $(#[doc = $about] $variant,)*
        }

        impl $switch {
            /// All of them, each with its name and what it does.
            pub const ALL: &[(Self, &str, &str)] = &[$((Self::$variant, $name, $about),)*];
        }
    };
}

pub(super) use named;
