# Compiler settings for every target of the project: call spd_compile_options(<target>) once per target.
find_program(SPD_CCACHE ccache)
if(SPD_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SPD_CCACHE})
endif()
find_package(Threads REQUIRED)

# Warnings are errors with the compilers that the sources are kept clean with: GCC 12 (Debian 12) and 13 (Ubuntu 24.04).
# What a later compiler warns about should not keep anyone from building.
set(warnings_are_errors OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    set(warnings_are_errors ON)
endif()
option(SPD_WERROR "Treat warnings as errors" ${warnings_are_errors})

function(spd_compile_options target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                             -Wnon-virtual-dtor -Woverloaded-virtual $<$<BOOL:${SPD_WERROR}>:-Werror>)
    if(SPD_SANITIZE)
        # GCC 12 takes a std::variant's text for uninitialized where the sanitizers' checks stand between.
        target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer
                                                 $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    endif()
endfunction()
