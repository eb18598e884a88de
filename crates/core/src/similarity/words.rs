//! From text to words that can be compared: one spelling, one form, and a notion of how much a word says.

use std::collections::HashSet;
use std::sync::LazyLock;

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case and plain ASCII, for people.
    pub(super) plain: String,
    /// What is left without endings, for comparing.
    pub(super) stem: String,
    /// Whether it was written like an acronym: `ITSM`, `PAs`, `P3M`.
    pub(super) capitals: bool,
}

/// How much a word says about what a community is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: "the", "of".
    Function,
    /// That it is a community: "guild", "network", "enthusiasts".
    Gathering,
    /// Little: "skills", "modern", "management".
    Common,
    /// The subject.
    Content,
}

impl Kind {
    /// What a word of that kind counts beside one that names the subject.
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::Function | Self::Gathering => 0.0,
            Self::Common => 0.15,
            Self::Content => 1.0,
        }
    }
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for piece in readable(text).split(|c: char| !c.is_ascii_alphanumeric()) {
        for part in camel_parts(piece) {
            words.push(word(part));
        }
    }
    words
}

/// The kind of a word by itself.
pub(super) fn kind(word: &Word) -> Kind {
    // In capitals it is information technology.
    let is_it = word.capitals && word.plain == "it";
    if is_it {
        Kind::Common
    } else if FUNCTION.contains(word.plain.as_str()) || (word.plain.len() == 1 && !word.plain.starts_with(['c', 'r'])) {
        Kind::Function
    } else if GATHERING.contains(word.plain.as_str()) {
        Kind::Gathering
    } else if COMMON.contains(&word.stem) {
        Kind::Common
    } else {
        Kind::Content
    }
}

/// Whether the word names people by what they do with a thing: managers, users, publishers.
pub(super) fn is_role(word: &Word) -> bool {
    let plain = word.plain.strip_suffix('s').unwrap_or(&word.plain);
    let does = ["er", "or", "ist", "yst", "ian"]
        .iter()
        .any(|ending| plain.ends_with(ending));
    let many = word.plain.ends_with('s') && plain.len() >= 4;
    (does && many)
        || ["staff", "people", "admin", "admins", "lead", "leads", "owner", "user"].contains(&word.plain.as_str())
}

fn word(text: &str) -> Word {
    let singular = text.strip_suffix('s').unwrap_or(text);
    let letters = singular.chars().filter(char::is_ascii_alphabetic).count();
    let capitals = (2..=6).contains(&singular.len())
        && letters >= 2
        && singular.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let plain = if capitals { singular } else { text }.to_ascii_lowercase();
    let stem = if capitals { plain.clone() } else { stem(&plain) };
    Word { plain, stem, capitals }
}

/// ASCII with the names that live by their signs written out.
fn readable(text: &str) -> String {
    let mut text = deunicode::deunicode_with_tofu(text, " ").replace(['\'', '`'], "'");
    for (sign, written) in [
        ("C++", "cplusplus"),
        ("c++", "cplusplus"),
        ("C#", "csharp"),
        ("c#", "csharp"),
        ("F#", "fsharp"),
    ] {
        text = text.replace(sign, written);
    }
    // "D&I" and "R&D" are words.
    let bytes: Vec<char> = text.chars().collect();
    let letter = |at: usize| bytes.get(at).is_some_and(char::is_ascii_alphanumeric);
    let short = |at: usize| {
        at >= 1
            && letter(at - 1)
            && letter(at + 1)
            && !(letter(at + 2) && letter(at + 3))
            && !(at >= 4 && letter(at - 4))
    };
    text = bytes
        .iter()
        .enumerate()
        .filter(|(at, c)| !(**c == '&' && short(*at)))
        .map(|(_, c)| *c)
        .collect();
    // Without its "on" it would be any call.
    for (apart, joined) in [("On-call", "oncall"), ("on-call", "oncall"), ("On-Call", "oncall")] {
        text = text.replace(apart, joined);
    }
    for dotted in [".NET", ".Net", ".net"] {
        if text.starts_with(dotted) {
            text.replace_range(..dotted.len(), "dotnet");
        }
        text = text.replace(&format!(" {dotted}"), " dotnet");
    }
    text.replace("'s ", " ").replace("s' ", "s ").replace("'s", "")
}

/// `MobileGov` is two words; `EAs`, `IoT` and `iOS` are one.
fn camel_parts(piece: &str) -> Vec<&str> {
    let bytes = piece.as_bytes();
    if GATHERING.contains(piece.to_ascii_lowercase().as_str()) {
        return vec![piece];
    }
    let mut parts = Vec::new();
    let mut begin = 0;
    for at in 1..bytes.len() {
        if at - begin >= 3
            && bytes.len() - at >= 3
            && bytes[at - 1].is_ascii_lowercase()
            && bytes[at].is_ascii_uppercase()
        {
            parts.push(&piece[begin..at]);
            begin = at;
        }
    }
    if begin < piece.len() {
        parts.push(&piece[begin..]);
    }
    parts
}

/// The word in the singular and in American spelling.
pub(super) fn singular(word: &str) -> String {
    let mut word = american(word);
    if word.len() > 3 && word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        word.pop();
        if word.ends_with("ie") && word.len() > 4 {
            word.truncate(word.len() - 2);
            word.push('y');
        } else if ["sse", "xe", "che", "she"].iter().any(|end| word.ends_with(end)) {
            word.pop();
        }
    }
    word
}

/// What is done, for a word that names a doing or who does it: `test` of "testing" and "testers".
pub(super) fn doing(word: &str) -> Option<String> {
    let word = singular(word);
    let ending = ["ing", "er", "or", "ist"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))?;
    (ending.len() >= 4).then(|| ending.trim_end_matches('e').to_owned())
}

/// The word without its endings. It needs not be a word, only the same for all forms of one.
pub(super) fn stem(word: &str) -> String {
    let mut stem = singular(word);
    if stem.len() <= 10 && stem.starts_with("analy") {
        return "analy".to_owned();
    }
    while let Some(shorter) = shortened(&stem) {
        stem = shorter;
    }
    stem
}

/// Endings with the fewest letters that must stay before them, longest first.
const ENDINGS: [(&str, usize, &str); 30] = [
    ("izational", 3, "iz"),
    ("ization", 3, "iz"),
    ("ational", 4, ""),
    ("ication", 4, "ic"),
    ("ibility", 3, "ibil"),
    ("ability", 3, "abil"),
    ("ation", 4, ""),
    ("ator", 4, ""),
    ("ating", 4, ""),
    ("ement", 4, ""),
    ("ible", 3, "ibil"),
    ("able", 3, "abil"),
    ("ment", 4, ""),
    ("ance", 4, ""),
    ("ence", 4, ""),
    ("ness", 5, ""),
    ("ated", 4, ""),
    ("ing", 3, ""),
    ("ity", 4, ""),
    ("ist", 4, ""),
    ("ism", 4, ""),
    ("ive", 4, ""),
    ("ion", 4, ""),
    ("ate", 4, ""),
    ("ed", 3, ""),
    ("er", 3, ""),
    ("or", 5, ""),
    ("al", 4, ""),
    ("ly", 4, ""),
    ("e", 3, ""),
];

fn shortened(stem: &str) -> Option<String> {
    let mut shorter = ENDINGS.iter().find_map(|(ending, least, instead)| {
        let rest = stem.strip_suffix(ending)?;
        let good = rest.len() >= *least && rest.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        good.then(|| format!("{rest}{instead}"))
    });
    if shorter.is_none() && stem.len() > 4 && stem.ends_with('y') {
        shorter = Some(stem[..stem.len() - 1].to_owned());
    }
    let last_two = stem.as_bytes().last_chunk::<2>();
    if shorter.is_none()
        && last_two.is_some_and(|[a, b]| a == b && !matches!(b, b's' | b'a' | b'e' | b'i' | b'o' | b'u'))
        && stem.len() > 3
    {
        shorter = Some(stem[..stem.len() - 1].to_owned());
    }
    shorter.filter(|shorter| shorter != stem)
}

/// British spellings as American ones.
fn american(word: &str) -> String {
    for (british, american) in [
        ("isation", "ization"),
        ("yse", "yze"),
        ("ising", "izing"),
        ("ised", "ized"),
        ("iser", "izer"),
        ("ise", "ize"),
        ("our", "or"),
        ("centre", "center"),
        ("centred", "centered"),
        ("programme", "program"),
        ("defence", "defense"),
        ("licence", "license"),
        ("catalogue", "catalog"),
        ("practise", "practice"),
        ("modelling", "modeling"),
    ] {
        let plural = word.strip_suffix('s').unwrap_or(word);
        if let Some(rest) = plural
            .strip_suffix(british)
            .filter(|rest| rest.len() > 2 || british.len() > 4)
        {
            return format!("{rest}{american}{}", &word[plural.len()..]);
        }
    }
    word.to_owned()
}

static FUNCTION: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a an and or the of for to in into on at by with without from as is are be been being it its this that these those \
     we us our you your they them their he she his her who whom whose what which when where why how i my me not no \
     do does did done can could may might must shall should will would have has had about across between among around \
     against vs versus through over under up down out off then than so such more most other others any some every each all both either \
     also etc via per vs let s t am if because while but only just very too well own same former currently here there \
     der die das und fur von mit le la les l et des du de d en el los las y del di il e da dos em \
     one two three first second"
        .split_whitespace()
        .collect()
});

static GATHERING: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "community communities cop cops guild guilds sig sigs wg wgs tag tags tsg group groups club clubs forum forums \
     circle circles chapter chapters council committee taskforce hub collective alliance meetup meetups enthusiast \
     enthusiasts fan fans lover lovers friend friends folk folks geek geeks practitioner practitioners roundtable \
     society squad crew tribe tribes interest interested initiative peer peers coe network networks association \
     working special practice practices practise practised practicing people person everyone everybody anyone \
     member members together share shares shared sharing discuss discusses discussing discussion meet meets meeting \
     come comes bring brings join joins joint want wants like explore explores exploring learn learns learned help \
     helps helping talk talks talking promote promotes champion champions champions advance advances advancing cover \
     covers focus focuses focused around others one another ideas idea experience experiences knowledge tip tips trick \
     tricks best effective good better great success successful support supports supporting supported topics topic \
     questions question answers place space everything anything exchange exchanges aim aims ensure create creates \
     creating created make makes making need needs give gives get gets foster fosters drive drives improve improves improvement \
     improving encourage enable enables provide provides including include includes kind different various many new \
     open safe long term success use uses using used user users who collaboration consortium collaborative cohort partnership exchange league communaute comunidad comunidade gruppe groupe grupo \
     praxisgemeinschaft arbeitsgruppe comunita gemeinschaft"
        .split_whitespace()
        .collect()
});

static COMMON: LazyLock<HashSet<String>> = LazyLock::new(|| {
    "skill tool tooling engineer developer manager staff leader expert beginner professional specialist federal \
     government campus university organisation organisational company enterprise corporate global internal external \
     modern advanced practical digital quality public project projects team work service system solution technology \
     tech technical information process method approach strategy management development program office business \
     resource material area challenge problem standard policy model platform application operation operational national \
     international local agency agencies department departmental institution institutional college higher education \
     industry sector gov cal career colleague employee worker colleagues guidance guideline fundamental \
     basics introduction academy week day daily year time way life world change future adoption implementation \
     planning building design-led activity activities task event-based function functional capability programme \
     code data-driven product products customer client website site page"
        .split_whitespace()
        .map(stem)
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn check_same_stem(forms: &[&str]) {
        let stems: HashSet<_> = forms.iter().map(|form| stem(form)).collect();
        assert_eq!(stems.len(), 1, "{forms:?}: {stems:?}");
    }

    #[test]
    fn the_forms_of_a_word_have_one_stem() {
        check_same_stem(&["manage", "manager", "managers", "management", "managing"]);
        check_same_stem(&["test", "tests", "testing", "tester", "testers", "tested"]);
        check_same_stem(&["write", "writer", "writing", "writers"]);
        check_same_stem(&["engineer", "engineers", "engineering"]);
        check_same_stem(&["analysis", "analyst", "analytics", "analyse", "analyze"]);
        check_same_stem(&["plan", "planning", "planner"]);
        check_same_stem(&["accessibility", "accessible"]);
        check_same_stem(&["organisation", "organization", "organizations"]);
        check_same_stem(&["agile", "agility"]);
        check_same_stem(&["security", "secure"]);
        check_same_stem(&["programme", "program", "programs"]);
        check_same_stem(&["centre", "center", "centers"]);
        check_same_stem(&["class", "classes"]);
        check_same_stem(&["policy", "policies"]);
    }

    #[test]
    fn different_words_keep_different_stems() {
        for (one, other) in [
            ("doctor", "docs"),
            ("service", "server"),
            ("access", "accessible"),
            ("string", "strong"),
        ] {
            assert_ne!(stem(one), stem(other), "{one}, {other}");
        }
    }

    #[test]
    fn names_that_live_by_their_signs_are_words() {
        let plain = |text: &str| words(text).into_iter().map(|word| word.plain).collect::<Vec<_>>();
        assert_eq!(plain("C++ and C#, .NET"), ["cplusplus", "and", "csharp", "dotnet"]);
        assert_eq!(plain("MobileGov's EAs"), ["mobile", "gov", "ea"]);
        assert_eq!(plain("CI/CD für Müller"), ["ci", "cd", "fur", "muller"]);
    }
}
