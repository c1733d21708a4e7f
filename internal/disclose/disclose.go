// Package disclose says what is owed to whom by when, which criteria of a regime are met, and drafts the forms: from a case and
// from what people say in the facts. It decides nothing: people do, by acts that they sign.
package disclose
