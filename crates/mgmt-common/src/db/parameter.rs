//! A statement's parameters: each value brings its Postgres type, so that value and type cannot disagree.
//!
//! Unnamed statements carry the types of their parameters; that spares the round trip in which Postgres would be asked for them.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_postgres::types::{Json, ToSql, Type};
use uuid::Uuid;

/// A value whose Postgres type follows from its Rust type.
pub trait Typed: ToSql + Sync {
    const TYPE: Type;
}

/// A value of which there can be an array.
pub trait Element: Typed {
    const ARRAY: Type;
}

/// One parameter of a statement; [`crate::params`] makes a list of them.
#[derive(Clone)]
pub struct Parameter<'a> {
    value: &'a (dyn ToSql + Sync),
    kind: Type,
}

impl<'a> Parameter<'a> {
    pub fn new<T: Typed>(value: &'a T) -> Self {
        Self { value, kind: T::TYPE }
    }

    /// As tokio-postgres takes it.
    pub(super) fn typed(&self) -> (&'a (dyn ToSql + Sync), Type) {
        (self.value, self.kind.clone())
    }
}

/// `params![a, b]`: the parameters `$1` and `$2` of a statement.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Parameter::new(&$value)),*] };
}

macro_rules! typed {
    ($($rust:ty => $one:ident, $many:ident;)+) => {$(
        impl Typed for $rust {
            const TYPE: Type = Type::$one;
        }
        impl Element for $rust {
            const ARRAY: Type = Type::$many;
        }
    )+};
}

typed! {
    &str => TEXT, TEXT_ARRAY;
    String => TEXT, TEXT_ARRAY;
    &String => TEXT, TEXT_ARRAY;
    bool => BOOL, BOOL_ARRAY;
    i16 => INT2, INT2_ARRAY;
    i32 => INT4, INT4_ARRAY;
    i64 => INT8, INT8_ARRAY;
    f64 => FLOAT8, FLOAT8_ARRAY;
    Uuid => UUID, UUID_ARRAY;
    Timestamp => TIMESTAMPTZ, TIMESTAMPTZ_ARRAY;
    &[u8] => BYTEA, BYTEA_ARRAY;
    Value => JSONB, JSONB_ARRAY;
    &Value => JSONB, JSONB_ARRAY;
    Json<&RawValue> => JSONB, JSONB_ARRAY;
}

impl<T: Typed> Typed for Option<T> {
    const TYPE: Type = T::TYPE;
}

impl<T: Element> Element for Option<T> {
    const ARRAY: Type = T::ARRAY;
}

impl<T: Element> Typed for Vec<T> {
    const TYPE: Type = T::ARRAY;
}
