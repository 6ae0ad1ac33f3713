//! Cases at one moment: made for it, and asked once it has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::client::{Answered, Protocol, UsedPorts};
use super::clock;
use super::ground::{Grounds, lay};
use super::question::Question;
use super::reference::{Finding, Reference, Seen, Stated};
use super::runner::Outcomes;
use super::stage::Stage;
use crate::conformance::{Outcome, Suite};

/// All cases, and what they stand on.
pub(super) struct Attempt {
    moment: u64,
    questions: Vec<Question>,
    /// The ground of each question.
    places: Vec<usize>,
    grounds: Grounds,
    used: UsedPorts,
}

/// The port of each ground.
type Ports = BTreeMap<usize, u16>;

/// A case by its index, over a protocol.
type Task = (usize, Protocol);

/// What a task has led to, and the ports that the log knows it by.
struct Asked {
    task: Task,
    answered: Answered,
    ports: (u16, u16),
    sent: u64,
    done: u64,
}

/// What core says before anything is asked.
#[derive(Default)]
struct Sorted {
    /// Cases that can be asked.
    asked: Vec<usize>,
    /// Those that are other cases a while later: they are asked first.
    hurried: BTreeSet<usize>,
    /// Cases whose contract does not load, and why.
    refused: BTreeMap<usize, String>,
    /// Cases that core answers in another way than the fixture says.
    refuted: BTreeMap<usize, Value>,
}

impl Attempt {
    /// Makes the cases that are named for a moment that is still to come.
    pub(super) fn new(
        suite: &Suite,
        only: &BTreeSet<String>,
        moment: u64,
        number: usize,
    ) -> Result<Self> {
        let decisions = suite.gate_at(moment, &|id| only.contains(id))?;
        let questions = decisions.iter().map(Question::of).collect::<Result<Vec<_>>>()?;
        let (grounds, places) = lay(&questions, number.saturating_mul(GROUNDS))?;
        Ok(Self { moment, questions, places, grounds, used: UsedPorts::default() })
    }

    pub(super) fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Asks all of them; `None` where the moment had passed before Envoy was ready.
    pub(super) fn run(
        &self,
        stage: &mut Stage,
        protocols: &[Protocol],
        reference: &mut Reference,
    ) -> Result<Option<Outcomes>> {
        stage.feeds.put(&self.grounds, self.moment.saturating_sub(EARLIEST));
        let ports = stage.put(&self.grounds)?;
        let sorted = self.sorted(reference)?;
        let mut tasks: Vec<Task> = Vec::new();
        for protocol in protocols {
            tasks.extend(sorted.asked.iter().map(|index| (*index, *protocol)));
        }
        tasks.sort_by_key(|(index, _)| !sorted.hurried.contains(index));
        let plan = |task: &Task| {
            let question = self.questions.get(task.0)?;
            Some((question.host(task.1), question.response.clone()?))
        };
        stage.upstream.put(tasks.iter().filter_map(plan).collect());
        let used = sorted.asked.iter().filter_map(|index| self.places.get(*index).copied());
        let used: BTreeSet<usize> = used.collect();
        stage.wait_for(&used)?;
        while !stage.is_ready(&used) {
            thread::sleep(Duration::from_millis(20));
        }
        if clock::seconds() >= self.moment {
            return Ok(None);
        }
        clock::wait_for(self.moment);
        let asked = self.ask(&ports, &tasks)?;
        let mut outcomes = self.judged(stage, asked, reference)?;
        for (index, outcome) in self.unasked(stage, &sorted) {
            let Some(question) = self.questions.get(index) else { continue };
            for protocol in protocols {
                outcomes.insert((*protocol, question.id.clone()), Some(outcome.clone()));
            }
        }
        Ok(Some(outcomes))
    }

    fn sorted(&self, reference: &mut Reference) -> Result<Sorted> {
        let mut sorted = Sorted::default();
        for (index, question) in self.questions.iter().enumerate() {
            match reference.stated(question)? {
                Stated::Refused(message) => drop(sorted.refused.insert(index, message)),
                Stated::Otherwise(answer) => drop(sorted.refuted.insert(index, answer)),
                Stated::As { of_its_second } => {
                    sorted.asked.push(index);
                    if of_its_second {
                        sorted.hurried.insert(index);
                    }
                }
            }
        }
        Ok(sorted)
    }

    /// What came out of cases that cannot be asked.
    fn unasked(&self, stage: &Stage, sorted: &Sorted) -> Vec<(usize, Outcome)> {
        let refuted = sorted.refuted.iter().map(|(index, answer)| {
            let (expected, actual) =
                ("what the fixture states".to_owned(), format!("natively {answer}"));
            (*index, Outcome::Disagree { expected, actual })
        });
        // A contract that does not load keeps Envoy from listening, with the same words.
        let refused = sorted.refused.iter().map(|(index, message)| {
            let said = self.places.get(*index).map(|place| stage.said_by(*place));
            let said = said.unwrap_or_default();
            let wanted = message.trim_start_matches('`');
            let wanted = format!("the configuration is refused: `trust.{wanted}");
            let outcome = match said.iter().any(|line| line.contains(&wanted)) {
                true => Outcome::Agree,
                false => Outcome::Disagree { expected: wanted, actual: said.join(" | ") },
            };
            (*index, outcome)
        });
        refuted.chain(refused).collect()
    }

    /// Asks in the order of the tasks, a few at a time, and beside them those that wait.
    fn ask(&self, ports: &Ports, tasks: &[Task]) -> Result<Vec<Asked>> {
        let waits = |task: &&Task| {
            let response = self.questions.get(task.0).and_then(|one| one.response.as_ref());
            response.is_some_and(|response| response.delay > 0)
        };
        let queue = Mutex::new(tasks.iter().filter(|task| !waits(task)).copied().rev().collect());
        let next = || -> Option<Task> {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let queue: &mut Vec<Task> = &mut queue;
            queue.pop()
        };
        let all = || -> Result<Vec<Asked>> {
            let mut asked = Vec::new();
            while let Some(task) = next() {
                asked.push(self.asked(ports, task)?);
            }
            Ok(asked)
        };
        thread::scope(|scope| {
            let waiting = tasks.iter().filter(waits);
            let mut handles: Vec<_> =
                waiting.map(|task| scope.spawn(|| Ok(vec![self.asked(ports, *task)?]))).collect();
            handles.extend((0..CLIENTS).map(|_| scope.spawn(all)));
            let mut asked = Vec::new();
            for handle in handles {
                asked.extend(handle.join().ok().context("a client stopped")??);
            }
            Ok(asked)
        })
    }

    fn asked(&self, ports: &Ports, task: Task) -> Result<Asked> {
        let (index, protocol) = task;
        let question = self.questions.get(index).context("a case")?;
        let place = self.places.get(index).context("a ground")?;
        let to = *ports.get(place).context("a listener")?;
        let sent = clock::seconds();
        let (from, answered) =
            protocol.ask(to, &self.used, &question.request, &question.host(protocol))?;
        Ok(Asked { task, answered, ports: (to, from), sent, done: clock::seconds() })
    }

    fn judged(
        &self,
        stage: &Stage,
        asked: Vec<Asked>,
        reference: &mut Reference,
    ) -> Result<Outcomes> {
        let ports: Vec<(u16, u16)> = asked.iter().map(|one| one.ports).collect();
        let mut entries = stage.log().read(&ports)?;
        let mut seen = BTreeMap::new();
        for Asked { task, answered, ports, sent, done } in asked {
            let Some(question) = self.questions.get(task.0) else { continue };
            let received = stage.upstream.take(&question.seen_host(task.1));
            let logged = entries.remove(&ports).unwrap_or_default();
            let logged = stage.door.logged(logged, question, task.1);
            seen.insert(task, Seen { answered, received, logged, sent, done });
        }
        // In the order of the cases, whose grounds are then laid once.
        let mut outcomes = Outcomes::new();
        for ((index, protocol), seen) in seen {
            let Some(question) = self.questions.get(index) else { continue };
            let outcome = match reference.compare(question, &seen)? {
                Finding::Agrees => Some(Outcome::Agree),
                Finding::Differs(expected, actual) => Some(Outcome::Disagree { expected, actual }),
                Finding::Late => None,
            };
            outcomes.insert((protocol, question.id.clone()), outcome);
        }
        Ok(outcomes)
    }
}

/// Seconds before the moment from which on snapshots can be taken: the youngest of a fixture is 10
/// seconds old, and a clock may be 5 seconds off.
const EARLIEST: u64 = 14;
/// Requests at a time.
const CLIENTS: usize = 4;
/// Numbers of the grounds of one attempt.
const GROUNDS: usize = 10_000;
