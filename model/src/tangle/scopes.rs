//! The neighbourhoods that are searched.

use super::{Cuts, Hear, Kind, MEMBERS, Slot, Tangle};
use crate::Rules;

/// Equal weights for all.
const EQUAL: [u8; MEMBERS] = [1; MEMBERS];

fn tx(by: u8, on: Option<u8>, between: [u8; 2]) -> Slot {
    Slot {
        kind: Kind::Tx { on },
        by: Some(by),
        between,
    }
}

fn trim(by: u8, previous: Option<u8>, between: [u8; 2]) -> Slot {
    Slot {
        kind: Kind::Trim { previous },
        by: Some(by),
        between,
    }
}

fn evidence() -> Slot {
    Slot {
        kind: Kind::Evidence { of: [0, 1] },
        by: None,
        between: [1, 1],
    }
}

fn plain(name: &'static str, members: u8, guilty: u8, slots: Vec<Slot>) -> Tangle {
    Tangle {
        name,
        members,
        guilty,
        tables: vec![EQUAL],
        slots,
        rules: Rules::ALL,
        half: 0,
        until: 2,
        per_step: [2, 2],
        most: 10,
        hear: Hear::Any,
        cuts: Cuts::Extremes,
        forgets: None,
        begins_after: None,
        margin: 0,
    }
}

/// Two rivals, no trim: is there ever more than one at Quorum?
#[must_use]
pub fn rivals(members: u8, guilty: u8) -> Tangle {
    let cheat = members - 1;
    let slots = vec![tx(cheat, None, [1, 1]), tx(cheat, None, [1, 1])];
    Tangle {
        until: 1,
        ..plain("rivals", members, guilty, slots)
    }
}

/// Two rivals at different times, with approvals that come late.
#[must_use]
pub fn late_rivals(members: u8, guilty: u8) -> Tangle {
    let cheat = members - 1;
    let slots = vec![tx(cheat, None, [1, 1]), tx(cheat, None, [1, 2])];
    Tangle {
        per_step: [1, 1],
        until: 3,
        half: 1,
        ..plain("late rivals", members, guilty, slots)
    }
}

/// Two rivals and a trim by an honest GL-node: does what had Quorum live?
#[must_use]
pub fn one_trim(members: u8, guilty: u8) -> Tangle {
    let cheat = members - 1;
    let slots = vec![
        tx(cheat, None, [1, 1]),
        tx(cheat, None, [1, 1]),
        trim(0, None, [2, 2]),
    ];
    plain("one trim", members, guilty, slots)
}

/// The same, by a guilty GL-node, and with any cone for the trim.
#[must_use]
pub fn guilty_trim(members: u8, guilty: u8) -> Tangle {
    let mut scope = one_trim(members, guilty);
    scope.slots[2].by = Some(members - 1);
    scope.cuts = Cuts::Every;
    scope.name = "guilty trim";
    scope
}

/// Two rivals, one step later a trim, and evidence.
#[must_use]
pub fn proved(members: u8, guilty: u8) -> Tangle {
    let mut scope = one_trim(members, guilty);
    scope.name = "evidence";
    scope.slots.push(evidence());
    scope
}

/// One rival above the other's chain: what lives because something above it lives.
#[must_use]
pub fn branches(members: u8, guilty: u8) -> Tangle {
    let cheat = members - 1;
    let slots = vec![
        tx(cheat, None, [1, 1]),
        tx(cheat, Some(0), [1, 1]),
        tx(cheat, None, [1, 1]),
        trim(0, None, [2, 2]),
    ];
    plain("branches", members, guilty, slots)
}

/// Rivals on both sides of a cut: two trims in a chain.
#[must_use]
pub fn across_a_cut(members: u8, guilty: u8) -> Tangle {
    let cheat = members - 1;
    let slots = vec![
        tx(cheat, None, [1, 1]),
        tx(cheat, None, [2, 2]),
        trim(0, None, [2, 2]),
        trim(0, Some(2), [3, 3]),
    ];
    Tangle {
        until: 3,
        ..plain("across a cut", members, guilty, slots)
    }
}

/// A guilty GL-node issues two first trims, and one above each.
#[must_use]
pub fn rival_trims(members: u8, guilty: u8) -> Tangle {
    let gl = members - 1;
    let slots = vec![
        trim(gl, None, [2, 2]),
        trim(gl, None, [2, 2]),
        trim(gl, Some(0), [3, 3]),
        trim(gl, Some(1), [3, 3]),
    ];
    Tangle {
        until: 3,
        per_step: [1, 3],
        ..plain("rival trims", members, guilty, slots)
    }
}

/// A GL-node withholds its second trim; an honest member issues meanwhile; the fourth trim finds that transaction two epochs behind.
#[must_use]
pub fn withheld(members: u8, guilty: u8) -> Tangle {
    let gl = members - 1;
    let slots = vec![
        tx(0, None, [4, 4]),
        trim(gl, None, [2, 2]),
        trim(gl, Some(1), [3, 3]),
        trim(gl, Some(2), [4, 5]),
        trim(gl, Some(3), [5, 6]),
    ];
    Tangle {
        until: 6,
        begins_after: Some(1),
        per_step: [2, 1],
        hear: Hear::Newest,
        ..plain("withheld trim", members, guilty, slots)
    }
}

/// A member leaves and one joins: rivals by the one table and by the other.
#[must_use]
pub fn two_tables(guilty: u8) -> Tangle {
    let slots = vec![
        tx(4, None, [3, 3]),
        tx(4, None, [3, 3]),
        trim(1, None, [2, 2]),
        trim(1, Some(2), [3, 3]),
        trim(1, Some(3), [4, 4]),
    ];
    Tangle {
        until: 4,
        tables: vec![[1, 1, 1, 0, 1, 0, 0], [0, 1, 1, 1, 1, 0, 0]],
        begins_after: Some(2),
        // One left and one joined: l + 2 j.
        margin: 3,
        per_step: [3, 3],
        most: 14,
        ..plain("two tables", 5, guilty, slots)
    }
}

/// More leave and join than the bound allows.
#[must_use]
pub fn wide_change(guilty: u8) -> Tangle {
    Tangle {
        name: "wide change",
        members: 7,
        tables: vec![[1, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 1, 1, 1]],
        slots: vec![
            tx(1, None, [3, 3]),
            trim(2, None, [2, 2]),
            trim(2, Some(1), [3, 3]),
            trim(2, Some(2), [4, 4]),
        ],
        begins_after: Some(1),
        margin: 3,
        ..two_tables(guilty)
    }
}

/// As `rivals`, with an honest member that loses its memory.
#[must_use]
pub fn forgets(members: u8, guilty: u8) -> Tangle {
    Tangle {
        name: "lost memory",
        forgets: Some(0),
        ..rivals(members, guilty)
    }
}
