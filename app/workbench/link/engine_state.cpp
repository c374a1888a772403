#include "app/workbench/link/engine_state.h"

#include <QCoreApplication>
#include <QFileInfo>

namespace spd {

namespace {

constexpr int kEngineEnded = 4;  // spd-attach's exit codes
constexpr int kCommandLine = 2;
constexpr int kNotExecutable = 126;  // a shell's
constexpr int kNotFound = 127;

QString say(const char* text) {
    return QCoreApplication::translate("EngineState", text);
}

}  // namespace

QString endInWords(const LinkEnd& end, const QStringList& command) {
    const QString program = QFileInfo(command.value(0)).fileName();
    if (!end.started)
        return say("%1 could not be started: %2.").arg(command.value(0), end.last_words);
    if (end.crashed)
        return say("The connection to the engine was cut: %1 was killed.").arg(program);
    if (end.code == kEngineEnded)
        return say("The engine ended or was killed.");
    if (!end.last_words.isEmpty())
        return end.last_words;
    if (end.code == 0)
        return say("%1 ended.").arg(program);
    return say("%1 ended with exit code %2.").arg(program).arg(end.code);
}

bool isHopeless(const LinkEnd& end) {
    return !end.started || (!end.crashed && (end.code == kCommandLine || end.code == kNotExecutable ||
                                             end.code == kNotFound));
}

}  // namespace spd
