//! A host that does what a test says, and remembers what it was asked.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::host::{Buffer, Get, Host, HostProblem, Level, LocalReply, Map, MetricKind};

/// Names and values.
pub(crate) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Debug, Default)]
pub(crate) struct Scripted {
    pub(crate) now: Cell<u64>,
    pub(crate) maps: RefCell<BTreeMap<Map, Pairs>>,
    pub(crate) buffers: RefCell<BTreeMap<Buffer, Vec<u8>>>,
    pub(crate) properties: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) filter_state: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) replies: RefCell<Vec<Replied>>,
    pub(crate) shared: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    pub(crate) gets: RefCell<Vec<Got>>,
    pub(crate) metrics: RefCell<BTreeMap<String, i64>>,
    names: RefCell<Vec<String>>,
    pub(crate) lines: RefCell<Vec<String>>,
    /// Calls that answer `INTERNAL_FAILURE`.
    pub(crate) broken: RefCell<BTreeSet<&'static str>>,
    calls: RefCell<BTreeMap<&'static str, usize>>,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Replied {
    pub(crate) status: u16,
    pub(crate) details: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A request to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) if_none_match: Option<String>,
    pub(crate) at: u64,
}

/// A header map as the host writes it.
pub(crate) fn map(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let mut written = u32::try_from(fields.len()).unwrap().to_le_bytes().to_vec();
    for (name, value) in fields {
        written.extend([length(name), length(value)].concat());
    }
    for (name, value) in fields {
        written.extend([name, &[0][..], value, &[0]].concat());
    }
    written
}

impl Scripted {
    pub(crate) fn at_seconds(now: u64) -> Self {
        let host = Self::default();
        host.set_seconds(now);
        host.properties.borrow_mut().insert("plugin_vm_id".to_owned(), b"mandate".to_vec());
        host
    }

    pub(crate) fn set_seconds(&self, now: u64) {
        self.now.set(now * 1_000_000_000);
    }

    pub(crate) fn set_map(&self, map: Map, fields: &[(&str, &str)]) {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        self.maps.borrow_mut().insert(map, fields.collect());
    }

    /// Values of a field, as text.
    pub(crate) fn values(&self, map: Map, name: &str) -> Vec<String> {
        let maps = self.maps.borrow();
        let fields = maps.get(&map).into_iter().flatten();
        fields
            .filter(|(field, _)| field == name.as_bytes())
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// Every call that was made, and how often, since it was last asked.
    pub(crate) fn calls(&self) -> BTreeMap<&'static str, usize> {
        self.calls.take()
    }

    pub(crate) fn metric(&self, name: &str) -> i64 {
        self.metrics.borrow().get(name).copied().unwrap_or(0)
    }

    fn called(&self, call: &'static str) -> Result<(), HostProblem> {
        *self.calls.borrow_mut().entry(call).or_default() += 1;
        let broken = self.broken.borrow().contains(call);
        if broken { Err(HostProblem { call, status: 10 }) } else { Ok(()) }
    }
}

impl Host for Scripted {
    fn now(&self) -> Result<u64, HostProblem> {
        self.called("now").map(|()| self.now.get())
    }

    fn fields(&self, kind: Map) -> Result<Vec<u8>, HostProblem> {
        self.called("fields")?;
        let maps = self.maps.borrow();
        let fields = maps.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        Ok(map(&fields))
    }

    fn set_field(&self, map: Map, name: &str, value: &str) -> Result<(), HostProblem> {
        self.called("set_field")?;
        let mut maps = self.maps.borrow_mut();
        let fields = maps.entry(map).or_default();
        fields.retain(|(field, _)| field != name.as_bytes());
        fields.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        Ok(())
    }

    fn remove_field(&self, map: Map, name: &str) -> Result<(), HostProblem> {
        self.called("remove_field")?;
        let mut maps = self.maps.borrow_mut();
        maps.entry(map).or_default().retain(|(field, _)| field != name.as_bytes());
        Ok(())
    }

    fn buffer(&self, buffer: Buffer, bytes: Range<usize>) -> Result<Vec<u8>, HostProblem> {
        self.called("buffer")?;
        let buffers = self.buffers.borrow();
        let whole = buffers.get(&buffer).map(Vec::as_slice).unwrap_or_default();
        assert!(bytes.start <= whole.len(), "Envoy's answer to this is not defined");
        Ok(whole[bytes.start..bytes.end.min(whole.len())].to_vec())
    }

    fn replace_buffer(&self, buffer: Buffer, bytes: &[u8]) -> Result<(), HostProblem> {
        self.called("replace_buffer")?;
        self.buffers.borrow_mut().insert(buffer, bytes.to_vec());
        Ok(())
    }

    fn property(&self, path: &[&str]) -> Result<Option<Vec<u8>>, HostProblem> {
        self.called("property")?;
        Ok(self.properties.borrow().get(&path.join(".")).cloned())
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostProblem> {
        self.called("set_filter_state")?;
        self.filter_state.borrow_mut().insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    fn reply(&self, reply: &LocalReply<'_>) -> Result<(), HostProblem> {
        self.called("reply")?;
        let headers = reply.headers.iter();
        self.replies.borrow_mut().push(Replied {
            status: reply.status,
            details: reply.details.to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: String::from_utf8(reply.body.to_vec()).unwrap(),
        });
        Ok(())
    }

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostProblem> {
        self.called("shared")?;
        Ok(self.shared.borrow().get(key).cloned())
    }

    fn share(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostProblem> {
        self.called("share")?;
        let mut shared = self.shared.borrow_mut();
        let known = shared.get(key).map_or(0, |(_, version)| *version);
        if version != 0 && version != known {
            return Ok(false);
        }
        shared.insert(key.to_owned(), (value.to_vec(), known + 1));
        Ok(true)
    }

    fn get(&self, get: &Get<'_>) -> Result<u32, HostProblem> {
        self.called("get")?;
        let mut gets = self.gets.borrow_mut();
        gets.push(Got {
            path: get.path.to_owned(),
            if_none_match: get.if_none_match.map(str::to_owned),
            at: self.now.get(),
        });
        Ok(u32::try_from(gets.len()).unwrap())
    }

    fn define_metric(&self, _: MetricKind, name: &str) -> Result<u32, HostProblem> {
        self.called("define_metric")?;
        let mut names = self.names.borrow_mut();
        names.push(name.to_owned());
        Ok(u32::try_from(names.len() - 1).unwrap())
    }

    fn add_metric(&self, id: u32, amount: i64) -> Result<(), HostProblem> {
        self.called("add_metric")?;
        let name = self.names.borrow()[usize::try_from(id).unwrap()].clone();
        *self.metrics.borrow_mut().entry(name).or_default() += amount;
        Ok(())
    }

    fn record_metric(&self, id: u32, value: u64) -> Result<(), HostProblem> {
        self.called("record_metric")?;
        let name = self.names.borrow()[usize::try_from(id).unwrap()].clone();
        self.metrics.borrow_mut().insert(name, i64::try_from(value).unwrap());
        Ok(())
    }

    fn log(&self, _: Level, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}
