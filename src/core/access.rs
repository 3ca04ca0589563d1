//! Who may request and who may vote: groups, reviewer chains, the rule that a requester never counts.
