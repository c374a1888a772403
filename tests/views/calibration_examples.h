#pragma once

#include <QFile>
#include <QString>

#include "core/protocol/answers/calibration.h"

namespace spd::test {

/// BOS, "Q:", then one token a character of the completion; its span is the last character.
inline nlohmann::ordered_json exampleJson(const std::string& id, const std::string& completion = " 4+8=12") {
    nlohmann::ordered_json ids = {1, 7}, texts = {"<s>", "Q:"};
    for (const char character : completion) {
        ids.push_back(100 + character);
        texts.push_back(std::string(1, character));
    }
    const auto length = static_cast<int64_t>(completion.size());
    return {{"id", id},
            {"prompt", "Q:"},
            {"completion", completion},
            {"spans", {{length - 1, length}}},
            {"problem", nullptr},
            {"ids", ids},
            {"texts", texts},
            {"prompt_tokens", 2},
            {"targets", {length + 1}}};
}

inline protocol::ExampleList listOf(int count) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (int i = 0; i < count; ++i)
        rows.push_back(exampleJson("set/train/" + std::to_string(i)));
    rows.push_back({{"id", "set/train/bad"}, {"problem", "no number after ####"}});
    return protocol::ExampleList::fromJson(
        {{"examples", rows},
         {"total", count + 1},
         {"usable", count},
         {"overlap",
          {{"training_prompts", 100},
           {"also_trained_on", 3},
           {"leaks",
            {{{"task", "gsm8k"}, {"message", "2 prompts are asked too"}, {"details", {"a", "b"}}}}}}}});
}

/// An answer of a real engine, from the folder that SPD_ANSWERS names; null: there is none.
inline nlohmann::ordered_json readAnswer(const QString& name) {
    QFile file(qEnvironmentVariable("SPD_ANSWERS") + u'/' + name + QStringLiteral(".json"));
    if (!file.open(QIODevice::ReadOnly))
        return nullptr;
    return nlohmann::ordered_json::parse(file.readAll().toStdString());
}

}  // namespace spd::test
