//! An implementation of the whole protocol: tokens, relationships and decisions.

use std::fmt;

use anyhow::{Context as _, Result};
use mandate_host::{CoreModule, Plugin};
use serde_json::Value;

use super::implementation::Implementation;
use super::questions::Questions;
use super::{Component, Module, Native};
use crate::engine::{ComponentEngine, Engine, ModuleEngine, NativeEngine};

/// What answers about tokens, and beside it what decides.
pub struct Complete {
    tokens: Box<dyn Implementation>,
    questions: Questions,
}

impl Complete {
    /// Core in this process.
    #[must_use]
    pub fn native() -> Self {
        let questions = Questions::new(Box::new(|| Ok(Box::new(NativeEngine::new()))));
        Self { tokens: Box::new(Native::new()), questions }
    }

    /// The plugin's component.
    ///
    /// # Errors
    /// When the plugin does not fit this host.
    pub fn component(plugin: &Plugin) -> Result<Self> {
        let tokens = Component::new(plugin.clone())?;
        let plugin = plugin.clone();
        let make = move || -> Result<Box<dyn Engine>> {
            Ok(Box::new(ComponentEngine::new(plugin.clone())?))
        };
        Ok(Self { tokens: Box::new(tokens), questions: Questions::new(Box::new(make)) })
    }

    /// The plugin's core module, by the C-like ABI.
    #[must_use]
    pub fn module(module: CoreModule) -> Self {
        let tokens = Module::new(module.fresh());
        let make =
            move || -> Result<Box<dyn Engine>> { Ok(Box::new(ModuleEngine::new(module.fresh()))) };
        Self { tokens: Box::new(tokens), questions: Questions::new(Box::new(make)) }
    }
}

impl Implementation for Complete {
    fn name(&self) -> &str {
        self.tokens.name()
    }

    fn answer(&mut self, request: &Value) -> Result<Value> {
        match self.questions.answer(&request.to_string()) {
            Some(answer) => serde_json::from_str(&answer).context("the answer is no JSON"),
            None => self.tokens.answer(request),
        }
    }

    fn answer_line(&mut self, line: &str) -> String {
        self.questions.answer(line).unwrap_or_else(|| self.tokens.answer_line(line))
    }

    fn fuel_used(&self) -> Option<u64> {
        self.tokens.fuel_used()
    }
}

impl fmt::Debug for Complete {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Complete").field("tokens", &self.name()).finish_non_exhaustive()
    }
}
