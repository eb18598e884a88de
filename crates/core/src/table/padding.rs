//! To which width the cells of a column are padded, judged by those that are there.

/// The cells of one column, measured.
pub(super) struct Padding {
    /// Those of the neighbours, the nearest first.
    pub(super) rows: Vec<Measured>,
    /// The header's.
    pub(super) header: Option<Measured>,
    /// Width of the slot in the line of dashes.
    pub(super) dashes: Option<usize>,
}

/// How wide a slot is, and how wide it would be without padding.
#[derive(Clone, Copy)]
pub(super) struct Measured {
    pub(super) width: usize,
    pub(super) least: usize,
}

impl Padding {
    /// The width, when there is one. What is told more surely is asked first.
    pub(super) fn width(&self) -> Option<usize> {
        self.drawn()
            .or_else(|| self.beside())
            .or_else(|| self.flush())
            .or_else(|| self.shown())
    }

    /// The dashes' width, when every cell has it: somebody drew them for the cells.
    fn drawn(&self) -> Option<usize> {
        self.dashes
            .filter(|dashes| self.all().all(|cell| cell.width == *dashes))
    }

    /// The width of the two nearest rows, when it is the same and one of them is padded to it.
    fn beside(&self) -> Option<usize> {
        match &self.rows[..] {
            [one, two, ..] if one.width == two.width && one.spare().max(two.spare()) > 1 => Some(one.width),
            _ => None,
        }
    }

    /// The width of all rows, when it is one although what they say is not equally long.
    fn flush(&self) -> Option<usize> {
        let width = self.rows.first()?.width;
        let spares = || self.rows.iter().map(Measured::spare);
        let even = self.rows.len() > 2 && self.rows.iter().all(|cell| cell.width == width);
        (even && spares().any(|spare| spare == 0) && spares().any(|spare| spare > 0)).then_some(width)
    }

    /// The dashes' width or the most frequent one, when most cells that could be shorter have it. One blank too many may be
    /// a slip, unless the dashes say the same.
    fn shown(&self) -> Option<usize> {
        let most_frequent = usual(self.all().map(|cell| cell.width));
        let is_shown = |&width: &usize| {
            let slip = usize::from(Some(width) != self.dashes);
            let padded = self
                .all()
                .filter(|cell| cell.width == width && cell.spare() > slip)
                .count();
            let not = self
                .all()
                .filter(|cell| cell.width != width && cell.least < width)
                .count();
            padded > not
        };
        [self.dashes, most_frequent].into_iter().flatten().find(is_shown)
    }

    fn all(&self) -> impl Iterator<Item = &Measured> {
        self.rows.iter().chain(&self.header)
    }
}

impl Measured {
    fn spare(&self) -> usize {
        self.width.saturating_sub(self.least)
    }
}

/// The most frequent number, of several the first.
pub(super) fn usual(counts: impl Iterator<Item = usize>) -> Option<usize> {
    let mut seen: Vec<(usize, usize)> = Vec::new();
    for count in counts {
        match seen.iter_mut().find(|(value, _)| *value == count) {
            Some((_, times)) => *times += 1,
            None => seen.push((count, 1)),
        }
    }
    seen.iter()
        .rev()
        .max_by_key(|(_, times)| *times)
        .map(|(value, _)| *value)
}
