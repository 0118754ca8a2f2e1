# rm_old_libc(TARGET): what a wheel holds runs with glibc 2.17, although the machine that builds it has a newer one:
# old_libc.c has these functions, and libpthread and libdl are where they were.
function(rm_old_libc target)
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/bindings/python/old_libc.c)
    foreach(name pthread_create pthread_join pthread_detach pthread_kill pthread_once pthread_sigmask pthread_attr_setstacksize
            pthread_attr_getstack pthread_getattr_np dlopen dlsym dlclose dlerror dladdr stat lstat fstat fstatat getrandom
            memfd_create preadv2 pwritev2 posix_spawn_file_actions_addclosefrom_np __libc_start_main)
        target_link_options(${target} PRIVATE -Wl,--wrap=${name})
    endforeach()
    target_link_options(${target} PRIVATE -Wl,--push-state,--no-as-needed,-l:libpthread.so.0,-l:libdl.so.2,--pop-state)
endfunction()
