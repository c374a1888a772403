#pragma once

#include <string>
#include <vector>

/// JSON texts with what the strict reader has to do with them, written from the grammar of RFC 8259.
struct JsonCase {
    std::string name;
    std::string text;
    /// What nlohmann's dump() of the value is to give; empty: the text is to be refused.
    std::string value;
};

/// Texts that every JSON reader has to accept.
std::vector<JsonCase> mustAcceptCases();
/// Texts that no JSON reader may accept.
std::vector<JsonCase> mustRefuseCases();
/// Texts that RFC 8259 leaves to the reader (sections 4, 6, 8, 9); `value` records the decision taken.
std::vector<JsonCase> definedHereCases();
