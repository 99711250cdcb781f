//! Signed transactions, put together and signed by hand.

use super::encoder::V::{self, A, B, M, N, Null, Raw, T, U};
use super::encoder::{Book, enc, hexed};
use iotedge_core::crypto::SecretKey;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

fn sha(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

pub fn id(byte: u8) -> Vec<u8> {
    vec![byte; 32]
}

/// A transaction to sign, as wrong as one likes.
#[derive(Clone)]
pub struct Tx {
    pub seed: u8,
    pub fields: Vec<V>,
    pub parents: Vec<Vec<u8>>,
    pub protected: Vec<u8>,
    pub unprotected: V,
}

pub const NBH: [u8; 32] = [0x11; 32];

pub fn prefixes(parents: &[Vec<u8>]) -> V {
    B(parents.iter().flat_map(|p| p[..16].to_vec()).collect())
}

impl Tx {
    /// Member 4's 70th transaction, over `09..`, `03..` and `07..`.
    pub fn new(kind: u64, body: V) -> Self {
        let parents = vec![id(9), id(3), id(7)];
        let fields = [
            U(1),
            U(3),
            U(4),
            U(70),
            U(123_456),
            prefixes(&parents),
            U(kind),
            body,
        ];
        Self {
            seed: 1,
            fields: fields.to_vec(),
            parents,
            protected: vec![0xa1, 0x01, 0x27],
            unprotected: M(vec![]),
        }
    }

    pub fn with(mut self, field: usize, v: V) -> Self {
        self.fields[field] = v;
        self
    }

    pub fn over(mut self, parents: &[u8]) -> Self {
        self.parents = parents.iter().map(|b| id(*b)).collect();
        self.fields[5] = prefixes(&self.parents);
        self
    }

    pub fn payload(&self) -> Vec<u8> {
        enc(&A(self.fields.clone()))
    }

    pub fn id(&self) -> [u8; 32] {
        sha(&[b"iotedge/tx/1", &NBH, &self.payload()])
    }

    pub fn parents_hash(&self) -> [u8; 32] {
        sha(&[&self.parents.concat()])
    }

    pub fn message(&self) -> Vec<u8> {
        let aad = A(vec![
            T("iotedge/tx/1"),
            B(NBH.to_vec()),
            B(self.parents_hash().to_vec()),
        ]);
        enc(&A(vec![
            T("Signature1"),
            B(self.protected.clone()),
            B(enc(&aad)),
            B(self.payload()),
        ]))
    }

    pub fn signature(&self) -> Vec<u8> {
        let key = SecretKey::from_seed(&[self.seed; 32]).unwrap();
        key.sign(&self.message()).0.to_vec()
    }

    pub fn cose(&self) -> V {
        A(vec![
            B(self.protected.clone()),
            self.unprotected.clone(),
            B(self.payload()),
            B(self.signature()),
        ])
    }

    /// One half of evidence.
    pub fn half(&self) -> V {
        A(vec![
            B(self.protected.clone()),
            B(self.payload()),
            B(self.signature()),
            B(self.parents_hash().to_vec()),
        ])
    }
}

pub fn key(seed: u8) -> Json {
    hexed(
        SecretKey::from_seed(&[seed; 32])
            .unwrap()
            .public_key()
            .bytes(),
    )
}

pub fn transfer(to: u64, amount: u64, debits: u64) -> V {
    A(vec![U(to), U(amount), U(debits)])
}

fn good_transactions() -> Vec<(&'static str, Tx)> {
    let sig = || B(vec![0x5a; 64]);
    let cert = |b: u8| B(vec![b; 40]);
    let new_key = M(vec![(U(1), U(1)), (N(0), U(6)), (N(1), B(id(0x0b)))]);
    let wide_key = M(vec![
        (U(1), U(2)),
        (N(0), U(1)),
        (N(1), B(id(0x0c))),
        (N(2), B(id(0x0d))),
    ]);
    let simple = || transfer(2, 250, 9_250);
    vec![
        ("transfer", Tx::new(1, simple())),
        ("transfer without tips", Tx::new(1, simple()).over(&[9])),
        (
            "transfer over eight parents",
            Tx::new(1, simple()).over(&[9, 1, 2, 3, 4, 5, 6, 7]),
        ),
        (
            "first parent above the others",
            Tx::new(1, simple()).over(&[0, 1]),
        ),
        (
            "transfer with the widest numbers",
            Tx::new(1, transfer(65_535, u64::MAX, u64::MAX))
                .with(1, U(u32::MAX.into()))
                .with(2, U(65_535))
                .with(3, U(u32::MAX.into()))
                .with(4, U(u32::MAX.into()))
                .over(&[9, 3]),
        ),
        (
            "reading",
            Tx::new(
                0,
                B(hex::decode("81a3006474656d70016343656c02c4822018d7").unwrap()),
            ),
        ),
        ("longest data", Tx::new(0, B(vec![0xda; 320]))),
        ("service", Tx::new(5, B(b"temp: 250 a reading".to_vec()))),
        (
            "join with one certificate",
            Tx::new(6, A(vec![U(0), A(vec![cert(1)]), sig()])),
        ),
        (
            "join with two certificates",
            Tx::new(6, A(vec![U(0), A(vec![cert(1), cert(2)]), sig()])),
        ),
        ("rotate", Tx::new(6, A(vec![U(1), new_key.clone(), sig()]))),
        ("leave", Tx::new(6, A(vec![U(2)]))),
        (
            "payload of 480 bytes",
            Tx::new(6, A(vec![U(3), B(vec![0; 413])])),
        ),
        ("revoke", Tx::new(6, A(vec![U(3), B(vec![0xcc; 90])]))),
        (
            "trim",
            Tx::new(
                7,
                A(vec![U(1_750_000_000_000), B(id(0x21)), U(2), B(id(0x22))]),
            ),
        ),
        (
            "exit",
            Tx::new(8, A(vec![U(1_000), U(10_250), B(vec![0xee; 20])])),
        ),
        (
            "evidence",
            Tx::new(9, A(vec![U(6), B(id(0x31)), B(id(0x32))])),
        ),
        ("lock for ticks", lock(1_000, 9_250, 86_400_000, ticks())),
        (
            "lock for ticks at the widest",
            Tx::new(
                2,
                A(vec![
                    U(65_535),
                    U(1 << 48),
                    U(u64::MAX),
                    U(1 << 31),
                    A(vec![U(0), U(u32::MAX.into()), U(1 << 16), B(id(0xfe))]),
                ]),
            ),
        ),
        ("lock for vouchers", lock(1, 1, 1, A(vec![U(1), new_key]))),
        (
            "lock for vouchers under a P-256 key",
            lock(500, 9_250, 60_000, A(vec![U(1), wide_key])),
        ),
        (
            "lock under a predicate",
            lock(500, 9_250, 60_000, predicate(&[1, 2, 9], 2)),
        ),
        (
            "lock under a predicate at the widest",
            lock(
                500,
                9_250,
                60_000,
                A(vec![
                    U(2),
                    B(vec![0xfe; 16]),
                    U(3),
                    N(i64::MAX as u64),
                    U(u32::MAX.into()),
                    U(4),
                    A((65_528..65_536).map(U).collect()),
                ]),
            ),
        ),
        (
            "claim by a tick",
            claim(0, A(vec![U(0), U(7), B(id(0x62))])),
        ),
        (
            "last claim by the last tick",
            claim(1, A(vec![U(0), U(1 << 16), B(id(0x62))])),
        ),
        ("claim by a voucher", claim(0, A(vec![U(1), U(750), sig()]))),
        ("claim by a statement", claim(0, said(&[3]))),
        ("claim by four statements", claim(1, said(&[0, 1, 5, 7]))),
        ("claim of nothing more", claim(1, A(vec![U(3)]))),
        (
            "first transaction ever",
            Tx::new(1, simple()).with(3, U(1)).with(4, U(0)),
        ),
        ("announce", channel(0, &[U(1), U(1), U(3), U(70_000)])),
        (
            "announce of a sub-channel at the widest",
            channel(
                0,
                &[
                    U(u32::MAX.into()),
                    U(2),
                    U(u32::MAX.into()),
                    U(u32::MAX.into()),
                ],
            ),
        ),
        (
            "root of a batch",
            channel(1, &[U(1), U(1), U(64), U(64), B(id(0x41))]),
        ),
        ("subscribe", channel(2, &[U(4), U(1), B(id(0x42))])),
        (
            "grant",
            channel(3, &[U(1), U(1), U(1_000), U(70), B(vec![0x43; 80])]),
        ),
        (
            "revoke of a channel",
            channel(4, &[U(1), U(2), U(0), U(90), B(vec![0x44; 2 * 49])]),
        ),
        (
            "path to a reader",
            channel(5, &[U(1), U(70), U(3), B(vec![0x45; 3 * 32 + 16])]),
        ),
        (
            "message of a channel",
            channel(6, &[U(1), B(vec![0x13; 45])]),
        ),
    ]
}

/// Value set aside for member 2.
fn lock(amount: u64, debits: u64, term: u64, terms: V) -> Tx {
    Tx::new(2, A(vec![U(2), U(amount), U(debits), U(term), terms]))
}

fn claim(last: u64, proof: V) -> Tx {
    Tx::new(3, A(vec![B(id(0x61)), U(last), proof]))
}

fn ticks() -> V {
    A(vec![U(0), U(12), U(100), B(id(0x60))])
}

fn predicate(readers: &[u64], quorum: u64) -> V {
    A(vec![
        U(2),
        B(b"temp".to_vec()),
        U(0),
        N(4),
        U(60_000),
        U(quorum),
        A(readers.iter().copied().map(U).collect()),
    ])
}

fn said(places: &[u64]) -> V {
    let one = |place: &u64| {
        A(vec![
            U(*place),
            N(20),
            U(1_750_000_000_000 + place),
            B(vec![0x5a; 64]),
        ])
    };
    A(vec![U(2), A(places.iter().map(one).collect())])
}

/// What its issuer says of a channel.
fn channel(op: u64, fields: &[V]) -> Tx {
    Tx::new(4, A([&[U(op)], fields].concat()))
}

fn bad_transactions() -> Vec<(&'static str, Tx, &'static str)> {
    let t = || Tx::new(1, transfer(2, 250, 9_250));
    let wide = |n: u64| U(n);
    let raw = |h: &str| Raw(hex::decode(h).unwrap());
    let mut short = t();
    short.fields.pop();
    let mut long = t();
    long.fields.push(Null);
    let mut other = t();
    other.protected = vec![0xa1, 0x01, 0x26];
    let mut unknown = t();
    unknown.protected = vec![0xa1, 0x01, 0x38, 0x22];
    let mut empty = t();
    empty.protected = vec![];
    let mut kid = t();
    kid.unprotected = M(vec![(U(4), B(vec![1]))]);
    let member = |body| Tx::new(6, body);
    let key = M(vec![(U(1), U(1)), (N(0), U(6)), (N(1), B(id(0x0b)))]);
    vec![
        ("version 0", t().with(0, U(0)), "Version"),
        ("version 2", t().with(0, U(2)), "Version"),
        ("seven fields", short, "WireRange"),
        ("nine fields", long, "WireRange"),
        ("epoch 0", t().with(1, U(0)), "EpochZero"),
        (
            "epoch above 32 bits",
            t().with(1, wide(1 << 32)),
            "WireRange",
        ),
        (
            "epoch with a long head",
            t().with(1, raw("1803")),
            "WireNotDeterministic",
        ),
        ("epoch negative", t().with(1, N(0)), "WireType"),
        (
            "issuer above 16 bits",
            t().with(2, wide(1 << 16)),
            "WireRange",
        ),
        ("number 0", t().with(3, U(0)), "NumberZero"),
        (
            "number above 32 bits",
            t().with(3, wide(1 << 32)),
            "WireRange",
        ),
        (
            "offset above 32 bits",
            t().with(4, wide(1 << 32)),
            "WireRange",
        ),
        ("offset a float", t().with(4, raw("f90000")), "WireType"),
        ("no parents", t().over(&[]), "ParentCount"),
        (
            "nine parents",
            t().over(&[9, 1, 2, 3, 4, 5, 6, 7, 8]),
            "ParentCount",
        ),
        ("half a parent", t().with(5, B(vec![9; 24])), "ParentCount"),
        ("parents unsorted", t().over(&[9, 7, 3]), "ParentsUnsorted"),
        ("parent twice", t().over(&[9, 3, 3]), "ParentsDoubled"),
        ("first parent twice", t().over(&[3, 3, 7]), "ParentsDoubled"),
        ("transfer as a lock", t().with(6, U(2)), "WireRange"),
        ("transfer as a claim", t().with(6, U(3)), "WireType"),
        (
            "lock of nothing",
            lock(0, 9_250, 1, A(vec![U(1), key.clone()])),
            "AmountZero",
        ),
        ("lock for no time", lock(100, 100, 0, ticks()), "SaleTerm"),
        (
            "lock above 2^31 ms",
            lock(100, 100, (1 << 31) + 1, ticks()),
            "SaleTerm",
        ),
        (
            "lock whose units do not divide it",
            lock(101, 101, 1, ticks()),
            "SalePrice",
        ),
        (
            "lock of more than 2^16 units",
            lock(
                1 << 17,
                1 << 17,
                1,
                A(vec![U(0), U(1), U(1 << 17), B(id(1))]),
            ),
            "SaleUnits",
        ),
        ("terms 3", lock(1, 1, 1, A(vec![U(3)])), "UnsupportedKind"),
        (
            "predicate that no quorum reaches",
            lock(1, 1, 1, predicate(&[1, 2], 3)),
            "SalePredicate",
        ),
        (
            "predicate with a reader twice",
            lock(1, 1, 1, predicate(&[1, 1], 1)),
            "SalePredicate",
        ),
        (
            "claim of tick 0",
            claim(0, A(vec![U(0), U(0), B(id(1))])),
            "SaleUnits",
        ),
        (
            "claim of a voucher of nothing",
            claim(0, A(vec![U(1), U(0), B(vec![0x5a; 64])])),
            "SalePrice",
        ),
        (
            "claim of nothing more that is not the last",
            claim(0, A(vec![U(3)])),
            "SalePrice",
        ),
        (
            "claim that is last twice",
            claim(2, A(vec![U(3)])),
            "WireRange",
        ),
        (
            "claim by statements out of order",
            claim(0, said(&[3, 1])),
            "SalePredicate",
        ),
        (
            "claim by five statements",
            claim(0, said(&[0, 1, 2, 3, 4])),
            "PayloadTooLong",
        ),
        ("proof 4", claim(0, A(vec![U(4)])), "UnsupportedKind"),
        ("kind 10", t().with(6, U(10)), "UnsupportedKind"),
        ("kind 257", t().with(6, U(257)), "UnsupportedKind"),
        ("amount 0", t().with(7, transfer(2, 0, 9_250)), "AmountZero"),
        (
            "debits below the amount",
            t().with(7, transfer(2, 250, 249)),
            "DebitsBelowAmount",
        ),
        (
            "payee above 16 bits",
            t().with(7, transfer(1 << 16, 1, 1)),
            "WireRange",
        ),
        (
            "amount negative",
            t().with(7, A(vec![U(2), N(0), U(1)])),
            "WireType",
        ),
        (
            "transfer of two fields",
            t().with(7, A(vec![U(2), U(1)])),
            "WireRange",
        ),
        (
            "exit of amount 0",
            Tx::new(8, A(vec![U(0), U(1), B(vec![0; 20])])),
            "AmountZero",
        ),
        (
            "exit to 21 bytes",
            Tx::new(8, A(vec![U(1), U(1), B(vec![0; 21])])),
            "WireRange",
        ),
        ("no data", Tx::new(0, B(vec![])), "BodyEmpty"),
        (
            "data of 321 bytes",
            Tx::new(0, B(vec![0; 321])),
            "BodyTooLong",
        ),
        ("data as text", Tx::new(0, T("21.5")), "WireType"),
        ("no service", Tx::new(5, B(vec![])), "BodyEmpty"),
        (
            "payload of 481 bytes",
            member(A(vec![U(3), B(vec![0; 414])])),
            "PayloadTooLong",
        ),
        ("member operation 4", member(A(vec![U(4)])), "MemberOp"),
        ("leave with more", member(A(vec![U(2), U(0)])), "MemberOp"),
        (
            "empty revocation list",
            member(A(vec![U(3), B(vec![])])),
            "MemberOp",
        ),
        (
            "join without certificate",
            member(A(vec![U(0), A(vec![]), B(vec![0; 64])])),
            "WireRange",
        ),
        (
            "join with three certificates",
            member(A(vec![U(0), A(vec![B(vec![1]); 3]), B(vec![0; 64])])),
            "WireRange",
        ),
        (
            "evidence ids out of order",
            Tx::new(9, A(vec![U(6), B(id(2)), B(id(1))])),
            "EvidenceIds",
        ),
        (
            "evidence of one id",
            Tx::new(9, A(vec![U(6), B(id(2)), B(id(2))])),
            "EvidenceIds",
        ),
        (
            "channel operation 7",
            channel(7, &[U(1)]),
            "UnsupportedKind",
        ),
        (
            "announce with more",
            channel(0, &[U(1), U(1), U(1), U(0), Null]),
            "UnsupportedKind",
        ),
        (
            "announce in mode 3",
            channel(0, &[U(1), U(3), U(1), U(0)]),
            "UnsupportedKind",
        ),
        (
            "announce of key epoch 0",
            channel(0, &[U(1), U(1), U(0), U(0)]),
            "WireRange",
        ),
        (
            "announce behind the last index",
            channel(0, &[U(1), U(1), U(1), U(1 << 32)]),
            "WireRange",
        ),
        (
            "root of 65 messages",
            channel(1, &[U(1), U(1), U(64), U(65), B(id(0x41))]),
            "WireRange",
        ),
        (
            "grant of 79 bytes",
            channel(3, &[U(1), U(1), U(0), U(70), B(vec![0x43; 79])]),
            "WireRange",
        ),
        (
            "revoke that opens the first key epoch",
            channel(4, &[U(1), U(1), U(0), U(0), B(vec![])]),
            "WireRange",
        ),
        (
            "revoke with half a wrap",
            channel(4, &[U(1), U(2), U(0), U(0), B(vec![0x44; 48])]),
            "WireRange",
        ),
        (
            "path to a slot that the tree does not have",
            channel(5, &[U(1), U(70), U(4), B(vec![0x45; 3 * 32 + 16])]),
            "WireRange",
        ),
        (
            "message that makes the payload 481 bytes",
            channel(6, &[U(1), B(vec![0x13; 413])]),
            "PayloadTooLong",
        ),
        ("ES256 over an Ed25519 key", other, "Suite"),
        ("algorithm -35", unknown, "Protected"),
        ("empty protected header", empty, "Protected"),
        ("unprotected header", kid, "Unprotected"),
    ]
}

pub fn tx() -> Book {
    let mut book = Book::default();
    for (name, tx) in good_transactions() {
        let int = |field: usize| match tx.fields[field] {
            U(n) => json!(n),
            _ => unreachable!(),
        };
        book.row(&[
            ("name", json!(name)),
            ("neighbourhood", hexed(NBH)),
            ("key", key(tx.seed)),
            ("parents", hexed(tx.parents.concat())),
            ("cose", hexed(enc(&tx.cose()))),
            ("expect", json!("ok")),
            ("id", hexed(tx.id())),
            ("parents_hash", hexed(tx.parents_hash())),
            ("payload", hexed(tx.payload())),
            ("signing_input", hexed(tx.message())),
            ("epoch", int(1)),
            ("issuer", int(2)),
            ("number", int(3)),
            ("offset", int(4)),
            ("kind", int(6)),
        ]);
    }
    let mut bad =
        |name: &str, nbh: &[u8], key: Json, parents: Vec<Vec<u8>>, cose: Vec<u8>, expect: &str| {
            book.row(&[
                ("name", json!(name)),
                ("neighbourhood", hexed(nbh)),
                ("key", key),
                ("parents", hexed(parents.concat())),
                ("cose", hexed(cose)),
                ("expect", json!(expect)),
            ]);
        };
    for (name, tx, expect) in bad_transactions() {
        let cose = enc(&tx.cose());
        bad(name, &NBH, key(tx.seed), tx.parents, cose, expect);
    }
    let tx = good_transactions().remove(0).1;
    let (cose, parents) = (enc(&tx.cose()), tx.parents.clone());
    let rejected = "SignatureRejected";
    bad(
        "another neighbourhood",
        &[0x12; 32],
        key(1),
        parents.clone(),
        cose.clone(),
        rejected,
    );
    bad(
        "another key",
        &NBH,
        key(2),
        parents.clone(),
        cose.clone(),
        rejected,
    );
    let mut twin = parents.clone();
    twin[1][31] ^= 1;
    bad(
        "a prefix that means another id",
        &NBH,
        key(1),
        twin,
        cose.clone(),
        rejected,
    );
    let mut swapped = parents.clone();
    swapped.swap(1, 2);
    bad(
        "parents given out of order",
        &NBH,
        key(1),
        swapped,
        cose.clone(),
        "ParentMismatch",
    );
    bad(
        "a parent not given",
        &NBH,
        key(1),
        parents[..2].to_vec(),
        cose.clone(),
        "ParentMismatch",
    );
    // In S: bits of R may give bytes that are no point, which is refused under another name.
    let mut bent = cose.clone();
    let in_s = bent.len() - 30;
    bent[in_s] ^= 1;
    bad(
        "signature changed",
        &NBH,
        key(1),
        parents.clone(),
        bent,
        rejected,
    );
    let changed = tx.clone().with(7, transfer(2, 251, 9_250));
    let A(mut parts) = changed.cose() else {
        unreachable!()
    };
    parts[3] = B(tx.signature());
    bad(
        "amount changed",
        &NBH,
        key(1),
        parents.clone(),
        enc(&A(parts.clone())),
        rejected,
    );
    parts[3] = B(vec![0; 63]);
    bad(
        "signature of 63 bytes",
        &NBH,
        key(1),
        parents.clone(),
        enc(&A(parts.clone())),
        "SignatureLength",
    );
    parts.push(Null);
    bad(
        "five parts",
        &NBH,
        key(1),
        parents.clone(),
        enc(&A(parts)),
        "WireRange",
    );
    let tagged = enc(&V::Tag(18, Box::new(tx.cose())));
    bad("tagged", &NBH, key(1), parents.clone(), tagged, "WireType");
    let trailing = [cose.clone(), vec![0xf6]].concat();
    bad(
        "one byte more",
        &NBH,
        key(1),
        parents.clone(),
        trailing,
        "WireTrailingBytes",
    );
    let cut = cose[..cose.len() - 1].to_vec();
    bad(
        "one byte less",
        &NBH,
        key(1),
        parents.clone(),
        cut,
        "WireTruncated",
    );
    bad("nothing", &NBH, key(1), parents, vec![], "WireTruncated");
    book
}
