#pragma once

#include <string>
#include <vector>

namespace spd::test {

/// A chat template that must be refused.
struct HostileTemplate {
    std::string name;  ///< rule of the list and what it does: "J2 parentheses"
    std::string source;
    std::string says;  ///< part of the refusal
};

std::vector<HostileTemplate> hostileTemplates();

/// `part` times `count`.
std::string repeated(const std::string& part, size_t count);

}  // namespace spd::test
