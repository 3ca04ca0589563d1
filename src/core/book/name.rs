//! Names as types, so that a step's id is never taken for a target's.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            /// The name, with hidden characters made visible.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&crate::core::text::visible(&self.0))
            }
        }

        impl Deref for $type {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $type {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $type {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl From<&str> for $type {
            fn from(name: &str) -> Self {
                Self(name.to_owned())
            }
        }

        impl From<String> for $type {
            fn from(name: String) -> Self {
                Self(name)
            }
        }
    };
}

name! {
    /// A runbook's id: `[a-z0-9-]{1,64}`, equal to its file's stem.
    RunbookId
}
name! {
    /// A step's id, unique in its runbook: `[a-z][a-z0-9_]{0,63}`, so that expressions can say `steps.<id>`.
    StepId
}
name! {
    /// The name of an input, capture or choice: `[a-z][a-z0-9_]{0,63}`.
    ParamName
}
name! {
    /// The name of a target.
    TargetName
}
name! {
    /// The name of a group of people.
    GroupName
}
name! {
    /// The name of a person, as groups list it.
    PersonName
}
