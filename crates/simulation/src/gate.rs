//! The gate at every commit: the process ends before or after it, the database refuses, the answer is lost.

use std::sync::Arc;

use async_trait::async_trait;
use convenor::store::{Gate, StoreError};
use tokio::time::Instant;

use crate::faults::CommitFault;
use crate::sim::{Sim, Who};

/// One life's way to the store.
pub(crate) struct CommitGate {
    pub(crate) sim: Arc<Sim>,
    pub(crate) who: Who,
    /// What happens after the commit in hand: commits of one process come one after the other or do not care.
    pub(crate) then: std::sync::Mutex<Vec<CommitFault>>,
}

impl CommitGate {
    fn set(&self, fault: Option<CommitFault>) {
        self.then
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .extend(fault);
    }

    fn take(&self) -> Option<CommitFault> {
        self.then
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .pop()
    }
}

#[async_trait]
impl Gate for CommitGate {
    async fn before(&self) -> Result<(), StoreError> {
        self.sim.awake(self.who).await;
        let began = Instant::now();
        let most = self.sim.locked().faults.commit_time();
        self.sim.some_time(most).await;
        self.sim.awake(self.who).await;
        let (number, fault) = self.sim.next_commit();
        if let Some(fault) = fault {
            self.sim
                .tell(Some(self.who), || format!("commit {number}: {fault:?}"), number);
        }
        match fault {
            Some(CommitFault::CrashBefore) => self.sim.crash(self.who).await,
            Some(CommitFault::Refused) => return Err(StoreError::Full),
            Some(CommitFault::Freeze) => {
                self.sim.freeze(self.who, began);
                self.sim.awake(self.who).await;
            }
            Some(CommitFault::CrashAfter | CommitFault::LostAnswer) => self.set(fault),
            None => {}
        }
        Ok(())
    }

    async fn after(&self) -> Result<(), StoreError> {
        match self.take() {
            Some(CommitFault::CrashAfter) => self.sim.crash(self.who).await,
            Some(CommitFault::LostAnswer) => return Err(StoreError::Busy),
            _ => {}
        }
        self.sim.awake(self.who).await;
        Ok(())
    }
}
