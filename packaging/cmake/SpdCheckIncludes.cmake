# The include rules of ARCHITECTURE.md as a build step: a forbidden #include fails the build.
add_custom_target(spd_check_includes ALL
    COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/packaging/cmake/check_includes.cmake
    COMMENT "Checking the include rules" VERBATIM)
