//! All lists of a board in one request. Root fields of a mutation run one after the other (GraphQL specification, "Normal and Serial
//! Execution"), so that lists stand in the order in which they are written.
//!
//! Labels and the board itself have mutations too, `labelCreate` and `createBoard`, but they name the project by its path: whoever
//! took the path meanwhile would get them. They are made by REST, which names it by its id.

use convenor_core::ids::{BoardId, BoardListId, LabelId, ProjectId};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Document, Unserved, number_of, send_mutation};
use crate::gitlab::error::{FieldMessage, GitLabError, Words};
use crate::gitlab::operation::Operation;
use crate::gitlab::writer::Writer;

/// A document's text may have 10,000 characters; this many fields stay far below it, and below the complexity limit.
const FIELDS_AT_ONCE: usize = 30;

/// The label of a list that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardListLabel {
    /// A label of the project itself.
    OfProject(LabelId),
    /// A label of a group above it.
    OfGroup(LabelId),
}

impl BoardListLabel {
    fn id(self) -> LabelId {
        match self {
            Self::OfProject(id) | Self::OfGroup(id) => id,
        }
    }

    fn global_id(self) -> String {
        match self {
            Self::OfProject(id) => format!("gid://gitlab/ProjectLabel/{id}"),
            Self::OfGroup(id) => format!("gid://gitlab/GroupLabel/{id}"),
        }
    }
}

impl Writer {
    /// Adds lists at the right end of a board, in their order, in one request where GitLab has GraphQL.
    ///
    /// # Errors
    /// Only when it is not known which of them were made (`OutcomeUnknown`) or none were (all others): observe again.
    pub async fn create_board_lists(
        &self,
        project: ProjectId,
        board: BoardId,
        labels: &[BoardListLabel],
    ) -> Result<Vec<Result<BoardListId, GitLabError>>, GitLabError> {
        let mut mutation = Mutation::default();
        for label in labels {
            mutation.add(
                "boardListCreate",
                "BoardListCreateInput",
                "list { id }",
                json!({
                    "boardId": format!("gid://gitlab/Board/{board}"), "labelId": label.global_id(),
                }),
            );
        }
        let operation = Operation::writes("graphql.board_lists");
        if let Some(made) = self.run(operation, mutation).await? {
            return Ok(made.into_iter().map(|id| id.map(BoardListId)).collect());
        }
        // One after the other: they come to stand in the order in which they are made.
        let mut made: Vec<Result<BoardListId, GitLabError>> = Vec::with_capacity(labels.len());
        for label in labels {
            let is_stopped = made
                .last()
                .is_some_and(|last| last.as_ref().is_err_and(stops_what_follows));
            made.push(match is_stopped {
                true => Err(not_sent(operation)),
                false => self
                    .create_board_list(project, board, label.id())
                    .await
                    .map(|list| list.id),
            });
        }
        Ok(made)
    }

    /// The numbers of what each field made; `None`: GraphQL is not to be had, and nothing was done.
    async fn run(
        &self,
        operation: Operation,
        mutation: Mutation,
    ) -> Result<Option<Vec<Result<u64, GitLabError>>>, GitLabError> {
        if mutation.fields.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if mutation.fields.len() > FIELDS_AT_ONCE {
            return Ok(None);
        }
        let wanted = mutation.fields.len();
        match send_mutation(&self.client, operation, &mutation.document()).await {
            Ok(data) => Ok(Some(
                (0..wanted)
                    .map(|field| outcome(operation, data.get(&alias(field))))
                    .collect(),
            )),
            Err(Unserved::NotToBeHad | Unserved::TooComplex) => Ok(None),
            Err(Unserved::Failed(error)) => Err(error),
        }
    }
}

/// Whether what should follow has to wait until somebody has looked.
fn stops_what_follows(error: &GitLabError) -> bool {
    !error.is_already_there() && !matches!(error, GitLabError::Invalid { .. })
}

fn not_sent(operation: Operation) -> GitLabError {
    GitLabError::Unreachable {
        call: operation.name,
        cause: Words::new("not sent, because the one before it failed"),
    }
}

/// Fields of one mutation document, run in their order.
#[derive(Default)]
struct Mutation {
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    input_type: &'static str,
    result: &'static str,
    input: Value,
}

impl Mutation {
    fn add(&mut self, name: &'static str, input_type: &'static str, result: &'static str, input: Value) {
        self.fields.push(Field {
            name,
            input_type,
            result,
            input,
        });
    }

    fn document(self) -> Document<'static> {
        let (mut heads, mut bodies, mut variables) = (Vec::new(), Vec::new(), Map::new());
        for (number, field) in self.fields.into_iter().enumerate() {
            let alias = alias(number);
            heads.push(format!("${alias}: {}!", field.input_type));
            bodies.push(format!(
                "{alias}: {}(input: ${alias}) {{ {} errors }}",
                field.name, field.result
            ));
            variables.insert(alias, field.input);
        }
        let text = format!("mutation({}) {{ {} }}", heads.join(", "), bodies.join(" "));
        Document {
            text: text.into(),
            variables: Value::Object(variables),
        }
    }
}

fn alias(number: usize) -> String {
    format!("m{number}")
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// What one field answered: `{list: {id}, errors: […]}`.
fn outcome(operation: Operation, field: Option<&Value>) -> Result<u64, GitLabError> {
    let call = operation.name;
    let unknown = || GitLabError::OutcomeUnknown {
        call,
        cause: Words::new("a field of the answer is missing"),
    };
    let field = field.and_then(Value::as_object).ok_or_else(unknown)?;
    let said: Vec<&str> = field
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if said.is_empty() {
        let made = field.iter().find(|(key, _)| *key != "errors").map(|(_, made)| made);
        let made = made
            .and_then(|made| Made::deserialize(made).ok())
            .and_then(|made| number_of(&made.id));
        return made.ok_or_else(unknown);
    }
    let message = Words::new(said.join("; "));
    let taken = ["already been taken", "already exists"]
        .iter()
        .any(|words| message.contain(words));
    Err(if taken {
        GitLabError::Taken {
            call,
            fields: vec![FieldMessage {
                field: Words::default(),
                message,
            }],
        }
    } else {
        GitLabError::Invalid { call, message }
    })
}
