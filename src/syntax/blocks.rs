//! Configuration made of directives and blocks: nginx (`name args;`, `name args { … }`) and Caddyfiles (a directive a line).
//!
//! In goes a text, out come its directives with their places. Nothing is known of what they mean.

use super::SyntaxError;
use super::error::narrow;

/// How deep blocks may lie in each other.
const MAX_DEPTH: usize = 64;
/// Directives that are kept of one file.
const MAX_DIRECTIVES: usize = 50_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directive {
    /// Empty for a block without a name.
    pub name: String,
    pub args: Vec<String>,
    /// Nothing where it has no block.
    pub body: Option<Vec<Directive>>,
    pub start: u32,
    pub end: u32,
}

impl Directive {
    pub fn children(&self) -> &[Directive] {
        self.body.as_deref().unwrap_or_default()
    }

    /// The directives of that name directly in the block.
    pub fn all<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d Directive> {
        self.children().iter().filter(move |child| child.name == name)
    }

    pub fn first<'d>(&'d self, name: &'d str) -> Option<&'d Directive> {
        self.children().iter().find(|child| child.name == name)
    }

    pub fn arg(&self, index: usize) -> &str {
        self.args.get(index).map_or("", String::as_str)
    }
}

/// What ends a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Semicolons,
    Lines,
}

pub fn parse(text: &str, style: Style) -> Result<Vec<Directive>, SyntaxError> {
    let mut reader = Reader { text, style, at: 0 };
    let mut open: Vec<(Directive, Vec<Directive>)> = Vec::new();
    let (mut current, mut siblings, mut count) = (Pending::default(), Vec::new(), 0_usize);
    loop {
        let (token, start) = reader.next();
        match token {
            Token::Word(word) => current.push(word, start, reader.at),
            Token::Ends => {
                siblings.extend(current.take());
                count += 1;
            }
            Token::Opens if open.len() >= MAX_DEPTH => {
                return Err(SyntaxError::malformed(text, start, "blocks lie too deep in each other"));
            }
            Token::Opens => {
                let head = current.take().unwrap_or(Directive { start: narrow(start), ..Directive::default() });
                if head.name.ends_with("_by_lua_block") {
                    reader.skip_block();
                    siblings.push(head);
                } else {
                    open.push((head, std::mem::take(&mut siblings)));
                }
            }
            Token::Closes => {
                siblings.extend(current.take());
                let Some((mut block, around)) = open.pop() else {
                    return Err(SyntaxError::malformed(text, start, "a block ends that never began"));
                };
                block.body = Some(std::mem::replace(&mut siblings, around));
                siblings.push(block);
            }
            Token::End => break,
        }
        if count > MAX_DIRECTIVES {
            return Err(SyntaxError::malformed(text, start, "too many directives; the rest is not read"));
        }
    }
    siblings.extend(current.take());
    match open.last() {
        Some((block, _)) => Err(SyntaxError::malformed(text, block.start as usize, "this block never ends")),
        None => Ok(siblings),
    }
}

/// The words of a directive whose end has not come yet.
#[derive(Default)]
struct Pending {
    words: Vec<String>,
    start: usize,
    end: usize,
}

impl Pending {
    fn push(&mut self, word: String, start: usize, end: usize) {
        if self.words.is_empty() {
            self.start = start;
        }
        self.end = end;
        self.words.push(word);
    }

    fn take(&mut self) -> Option<Directive> {
        let mut words = std::mem::take(&mut self.words).into_iter();
        let name = words.next()?;
        let (start, end) = (narrow(self.start), narrow(self.end));
        Some(Directive { name, args: words.collect(), body: None, start, end })
    }
}

enum Token {
    Word(String),
    /// The directive ends.
    Ends,
    Opens,
    Closes,
    End,
}

struct Reader<'t> {
    text: &'t str,
    style: Style,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    /// The next token and where it begins.
    fn next(&mut self) -> (Token, usize) {
        while let Some(c) = self.peek() {
            let start = self.at;
            match c {
                '\n' if self.style == Style::Lines => {
                    self.at += 1;
                    return (Token::Ends, start);
                }
                '#' => self.skip_line(),
                c if c.is_whitespace() => self.at += c.len_utf8(),
                ';' if self.style == Style::Semicolons => {
                    self.at += 1;
                    return (Token::Ends, start);
                }
                '{' if self.opens() => {
                    self.at += 1;
                    return (Token::Opens, start);
                }
                '}' => {
                    self.at += 1;
                    return (Token::Closes, start);
                }
                '"' | '\'' | '`' => return (Token::Word(self.quoted(c)), start),
                _ => return (Token::Word(self.word()), start),
            }
        }
        (Token::End, self.at)
    }

    /// In a Caddyfile `{host}` is a word.
    fn opens(&self) -> bool {
        let next = self.text.get(self.at + 1..).and_then(|rest| rest.chars().next());
        self.style == Style::Semicolons || next.is_none_or(char::is_whitespace)
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    fn quoted(&mut self, quote: char) -> String {
        self.at += 1;
        let mut word = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '\\' => {
                    let escaped = self.peek();
                    self.at += escaped.map_or(0, char::len_utf8);
                    word.extend(escaped);
                }
                _ if c == quote => break,
                _ => word.push(c),
            }
        }
        word
    }

    fn word(&mut self) -> String {
        let start = self.at;
        let mut before = ' ';
        while let Some(c) = self.peek() {
            let variable = c == '{' && before == '$';
            let ends = match self.style {
                Style::Semicolons => c.is_whitespace() || c == ';' || (matches!(c, '{' | '}') && !variable),
                Style::Lines => c.is_whitespace(),
            };
            if ends {
                break;
            }
            self.at += c.len_utf8();
            if variable && self.style == Style::Semicolons {
                self.skip_variable();
            }
            before = c;
        }
        self.text.get(start..self.at).unwrap_or_default().to_owned()
    }

    /// Up to the end of `${NAME}`.
    fn skip_variable(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let line = rest.find('\n').unwrap_or(rest.len());
        self.at += rest.find('}').filter(|end| *end < line).map_or(0, |end| end + 1);
    }

    /// Up to the end of a block of another language.
    fn skip_block(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut depth = 1_usize;
        let end = rest.bytes().position(|byte| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        self.at += end.map_or(rest.len(), |end| end + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx() {
        let text = "user www; # x;\nserver {\n  listen 443 ssl;\n  location ~ \"^/a{2}\" { return 301 https://$host${X}/y; }\n  content_by_lua_block { if x then { } end }\n}\n";
        let found = parse(text, Style::Semicolons).unwrap();
        assert_eq!((found.len(), found[0].arg(0)), (2, "www"));
        let server = &found[1];
        assert_eq!(server.first("listen").unwrap().args, ["443", "ssl"]);
        let location = server.first("location").unwrap();
        assert_eq!((location.arg(1), location.children()[0].arg(1)), ("^/a{2}", "https://$host${X}/y"));
        assert_eq!(&text[server.start as usize..server.end as usize], "server");
    }

    #[test]
    fn caddyfiles() {
        let text = "{\n  email a@b.test\n}\nshop.test, www.shop.test {\n  header Strict-Transport-Security \"max-age=1\"\n  reverse_proxy {$API} api:3000 {\n    health_uri /up\n  }\n}\n";
        let found = parse(text, Style::Lines).unwrap();
        assert_eq!((found.len(), found[0].name.as_str(), found[1].name.as_str()), (2, "", "shop.test,"));
        let proxy = found[1].first("reverse_proxy").unwrap();
        assert_eq!((proxy.args.as_slice(), proxy.children().len()), (&["{$API}".to_owned(), "api:3000".into()][..], 1));
    }

    #[test]
    fn broken_texts_are_errors_with_a_place() {
        assert_eq!(parse("a {\n b;\n", Style::Semicolons).unwrap_err().line, 1);
        assert_eq!(parse("a;\n}\n", Style::Semicolons).unwrap_err().line, 2);
        assert!(parse(&"a {".repeat(100_000), Style::Semicolons).is_err());
        for text in ["", "'", "\"a\\", "${", "a ${b", "é{", "}", "x_by_lua_block {"] {
            let _ = (parse(text, Style::Semicolons), parse(text, Style::Lines));
        }
    }
}
