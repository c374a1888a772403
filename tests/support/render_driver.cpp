// Renders chat templates for the oracle test. Reads JSON Lines {"template_file" or "template", "bos", "eos",
// "messages", "variables", "add_generation_prompt"}, writes {"text", "content"} or {"error"} for each line.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/error.h"
#include "core/text/chat_template.h"

namespace {

using Json = nlohmann::ordered_json;

std::string readAll(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
}

Json answer(const Json& request) {
    const std::string file = request.value("template_file", "inline");
    const std::string source =
        request.contains("template") ? request["template"].get<std::string>() : readAll(file);
    try {
        const auto chat =
            spd::ChatTemplate::parse(source, file, request.value("bos", ""), request.value("eos", ""));
        const Json messages = request.at("messages");
        const Json variables = request.value("variables", Json::object());
        const bool opens_turn = request.value("add_generation_prompt", false);
        const spd::RenderedChat rendered = chat.renderTracked(messages, variables, opens_turn);
        Json content = Json::array();
        for (const spd::TextRange& range : rendered.content)
            content.push_back({range.begin, range.end});
        return {{"text", rendered.text}, {"content", content}};
    } catch (const spd::Error& error) {
        return {{"error", error.what()}};
    }
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);)
        std::cout << answer(Json::parse(line)).dump() << '\n';
    return 0;
}
