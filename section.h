/* ===========================================================================================
   >>seccomp   the seccomp profile as classic BPF (seccomp(2)): names and numbers of calls up to Linux 7.2, whatever
   the headers. The program is a binary search over intervals of numbers that are treated alike: the kernel compiles
   it and (5.11) runs it for each number when it is loaded. Where entries meet, the order is libseccomp's: one
   without conditions wins, of two the first; conditions are tried from the highest argument down, EQ, NE, MASKED_EQ
   before LT, LE before GT, GE, then larger values first (LT, LE: smaller), fewer conditions first; the same ones with
   two actions are an error. 32-bit ports and x32 compare low halves. socketcall and ipc: the number of the call
   takes the place of argument 0, and entries that then look alike are not told apart: the first counts.
   Foreign architectures, and x32 numbers without X32: killed. As in runc, ENOSYS for calls newer than all that the
   profile names, where the default is a refusal.
   =========================================================================================== */

/* ----- the table of calls: made by tests/syscalls.sh ----- */

/* Number on i386, on x86_64, and by asm-generic (as aarch64 has it). Sorted. */
#define OCIRT__SECCOMP_CALLS(C, NO) \
    C(_llseek, 140, NO, NO) C(_newselect, 142, NO, NO) C(_sysctl, 149, 156, NO) C(accept, NO, 43, 202) \
    C(accept4, 364, 288, 242) C(access, 33, 21, NO) C(acct, 51, 163, 89) C(add_key, 286, 248, 217) \
    C(adjtimex, 124, 159, 171) C(afs_syscall, 137, 183, NO) C(alarm, 27, 37, NO) C(arch_prctl, 384, 158, NO) \
    C(arm_fadvise64_64, NO, NO, NO) C(arm_sync_file_range, NO, NO, NO) C(atomic_barrier, NO, NO, NO) \
    C(atomic_cmpxchg_32, NO, NO, NO) C(bdflush, 134, NO, NO) C(bind, 361, 49, 200) C(bpf, 357, 321, 280) \
    C(break, 17, NO, NO) C(breakpoint, NO, NO, NO) C(brk, 45, 12, 214) C(cachectl, NO, NO, NO) \
    C(cacheflush, NO, NO, NO) C(cachestat, 451, 451, 451) C(capget, 184, 125, 90) C(capset, 185, 126, 91) \
    C(chdir, 12, 80, 49) C(chmod, 15, 90, NO) C(chown, 182, 92, NO) C(chown32, 212, NO, NO) C(chroot, 61, 161, 51) \
    C(clock_adjtime, 343, 305, 266) C(clock_adjtime64, 405, NO, NO) C(clock_getres, 266, 229, 114) \
    C(clock_getres_time64, 406, NO, NO) C(clock_gettime, 265, 228, 113) C(clock_gettime64, 403, NO, NO) \
    C(clock_nanosleep, 267, 230, 115) C(clock_nanosleep_time64, 407, NO, NO) C(clock_settime, 264, 227, 112) \
    C(clock_settime64, 404, NO, NO) C(clone, 120, 56, 220) C(clone3, 435, 435, 435) C(close, 6, 3, 57) \
    C(close_range, 436, 436, 436) C(connect, 362, 42, 203) C(copy_file_range, 377, 326, 285) C(creat, 8, 85, NO) \
    C(create_module, 127, 174, NO) C(delete_module, 129, 176, 106) C(dup, 41, 32, 23) C(dup2, 63, 33, NO) \
    C(dup3, 330, 292, 24) C(epoll_create, 254, 213, NO) C(epoll_create1, 329, 291, 20) C(epoll_ctl, 255, 233, 21) \
    C(epoll_ctl_old, NO, 214, NO) C(epoll_pwait, 319, 281, 22) C(epoll_pwait2, 441, 441, 441) \
    C(epoll_wait, 256, 232, NO) C(epoll_wait_old, NO, 215, NO) C(eventfd, 323, 284, NO) C(eventfd2, 328, 290, 19) \
    C(execve, 11, 59, 221) C(execveat, 358, 322, 281) C(exit, 1, 60, 93) C(exit_group, 252, 231, 94) \
    C(faccessat, 307, 269, 48) C(faccessat2, 439, 439, 439) C(fadvise64, 250, 221, 223) C(fadvise64_64, 272, NO, NO) \
    C(fallocate, 324, 285, 47) C(fanotify_init, 338, 300, 262) C(fanotify_mark, 339, 301, 263) C(fchdir, 133, 81, 50) \
    C(fchmod, 94, 91, 52) C(fchmodat, 306, 268, 53) C(fchmodat2, 452, 452, 452) C(fchown, 95, 93, 55) \
    C(fchown32, 207, NO, NO) C(fchownat, 298, 260, 54) C(fcntl, 55, 72, 25) C(fcntl64, 221, NO, NO) \
    C(fdatasync, 148, 75, 83) C(fgetxattr, 231, 193, 10) C(file_getattr, 468, 468, 468) \
    C(file_setattr, 469, 469, 469) C(finit_module, 350, 313, 273) C(flistxattr, 234, 196, 13) C(flock, 143, 73, 32) \
    C(fork, 2, 57, NO) C(fremovexattr, 237, 199, 16) C(fsconfig, 431, 431, 431) C(fsetxattr, 228, 190, 7) \
    C(fsmount, 432, 432, 432) C(fsopen, 430, 430, 430) C(fspick, 433, 433, 433) C(fstat, 108, 5, 80) \
    C(fstat64, 197, NO, NO) C(fstatat64, 300, NO, NO) C(fstatfs, 100, 138, 44) C(fstatfs64, 269, NO, NO) \
    C(fsync, 118, 74, 82) C(ftime, 35, NO, NO) C(ftruncate, 93, 77, 46) C(ftruncate64, 194, NO, NO) \
    C(futex, 240, 202, 98) C(futex_requeue, 456, 456, 456) C(futex_time64, 422, NO, NO) C(futex_wait, 455, 455, 455) \
    C(futex_waitv, 449, 449, 449) C(futex_wake, 454, 454, 454) C(futimesat, 299, 261, NO) \
    C(get_kernel_syms, 130, 177, NO) C(get_mempolicy, 275, 239, 236) C(get_robust_list, 312, 274, 100) \
    C(get_thread_area, 244, 211, NO) C(get_tls, NO, NO, NO) C(getcpu, 318, 309, 168) C(getcwd, 183, 79, 17) \
    C(getdents, 141, 78, NO) C(getdents64, 220, 217, 61) C(getegid, 50, 108, 177) C(getegid32, 202, NO, NO) \
    C(geteuid, 49, 107, 175) C(geteuid32, 201, NO, NO) C(getgid, 47, 104, 176) C(getgid32, 200, NO, NO) \
    C(getgroups, 80, 115, 158) C(getgroups32, 205, NO, NO) C(getitimer, 105, 36, 102) C(getpagesize, NO, NO, NO) \
    C(getpeername, 368, 52, 205) C(getpgid, 132, 121, 155) C(getpgrp, 65, 111, NO) C(getpid, 20, 39, 172) \
    C(getpmsg, 188, 181, NO) C(getppid, 64, 110, 173) C(getpriority, 96, 140, 141) C(getrandom, 355, 318, 278) \
    C(getresgid, 171, 120, 150) C(getresgid32, 211, NO, NO) C(getresuid, 165, 118, 148) C(getresuid32, 209, NO, NO) \
    C(getrlimit, 76, 97, 163) C(getrusage, 77, 98, 165) C(getsid, 147, 124, 156) C(getsockname, 367, 51, 204) \
    C(getsockopt, 365, 55, 209) C(gettid, 224, 186, 178) C(gettimeofday, 78, 96, 169) C(getuid, 24, 102, 174) \
    C(getuid32, 199, NO, NO) C(getxattr, 229, 191, 8) C(getxattrat, 464, 464, 464) C(gtty, 32, NO, NO) \
    C(idle, 112, NO, NO) C(init_module, 128, 175, 105) C(inotify_add_watch, 292, 254, 27) \
    C(inotify_init, 291, 253, NO) C(inotify_init1, 332, 294, 26) C(inotify_rm_watch, 293, 255, 28) \
    C(io_cancel, 249, 210, 3) C(io_destroy, 246, 207, 1) C(io_getevents, 247, 208, 4) C(io_pgetevents, 385, 333, 292) \
    C(io_pgetevents_time64, 416, NO, NO) C(io_setup, 245, 206, 0) C(io_submit, 248, 209, 2) \
    C(io_uring_enter, 426, 426, 426) C(io_uring_register, 427, 427, 427) C(io_uring_setup, 425, 425, 425) \
    C(ioctl, 54, 16, 29) C(ioperm, 101, 173, NO) C(iopl, 110, 172, NO) C(ioprio_get, 290, 252, 31) \
    C(ioprio_set, 289, 251, 30) C(ipc, 117, NO, NO) C(kcmp, 349, 312, 272) C(kexec_file_load, NO, 320, 294) \
    C(kexec_load, 283, 246, 104) C(keyctl, 288, 250, 219) C(kill, 37, 62, 129) C(landlock_add_rule, 445, 445, 445) \
    C(landlock_create_ruleset, 444, 444, 444) C(landlock_restrict_self, 446, 446, 446) C(lchown, 16, 94, NO) \
    C(lchown32, 198, NO, NO) C(lgetxattr, 230, 192, 9) C(link, 9, 86, NO) C(linkat, 303, 265, 37) \
    C(listen, 363, 50, 201) C(listmount, 458, 458, 458) C(listns, 470, 470, 470) C(listxattr, 232, 194, 11) \
    C(listxattrat, 465, 465, 465) C(llistxattr, 233, 195, 12) C(lock, 53, NO, NO) C(lookup_dcookie, 253, 212, 18) \
    C(lremovexattr, 236, 198, 15) C(lseek, 19, 8, 62) C(lsetxattr, 227, 189, 6) C(lsm_get_self_attr, 459, 459, 459) \
    C(lsm_list_modules, 461, 461, 461) C(lsm_set_self_attr, 460, 460, 460) C(lstat, 107, 6, NO) \
    C(lstat64, 196, NO, NO) C(madvise, 219, 28, 233) C(map_shadow_stack, 453, 453, 453) C(mbind, 274, 237, 235) \
    C(membarrier, 375, 324, 283) C(memfd_create, 356, 319, 279) C(memfd_secret, 447, 447, 447) \
    C(migrate_pages, 294, 256, 238) C(mincore, 218, 27, 232) C(mkdir, 39, 83, NO) C(mkdirat, 296, 258, 34) \
    C(mknod, 14, 133, NO) C(mknodat, 297, 259, 33) C(mlock, 150, 149, 228) C(mlock2, 376, 325, 284) \
    C(mlockall, 152, 151, 230) C(mmap, 90, 9, 222) C(mmap2, 192, NO, NO) C(modify_ldt, 123, 154, NO) \
    C(mount, 21, 165, 40) C(mount_setattr, 442, 442, 442) C(move_mount, 429, 429, 429) C(move_pages, 317, 279, 239) \
    C(mprotect, 125, 10, 226) C(mpx, 56, NO, NO) C(mq_getsetattr, 282, 245, 185) C(mq_notify, 281, 244, 184) \
    C(mq_open, 277, 240, 180) C(mq_timedreceive, 280, 243, 183) C(mq_timedreceive_time64, 419, NO, NO) \
    C(mq_timedsend, 279, 242, 182) C(mq_timedsend_time64, 418, NO, NO) C(mq_unlink, 278, 241, 181) \
    C(mremap, 163, 25, 216) C(mseal, 462, 462, 462) C(msgctl, 402, 71, 187) C(msgget, 399, 68, 186) \
    C(msgrcv, 401, 70, 188) C(msgsnd, 400, 69, 189) C(msync, 144, 26, 227) C(multiplexer, NO, NO, NO) \
    C(munlock, 151, 150, 229) C(munlockall, 153, 152, 231) C(munmap, 91, 11, 215) C(name_to_handle_at, 341, 303, 264) \
    C(nanosleep, 162, 35, 101) C(newfstatat, NO, 262, 79) C(nfsservctl, 169, 180, 42) C(nice, 34, NO, NO) \
    C(oldfstat, 28, NO, NO) C(oldlstat, 84, NO, NO) C(oldolduname, 59, NO, NO) C(oldstat, 18, NO, NO) \
    C(olduname, 109, NO, NO) C(open, 5, 2, NO) C(open_by_handle_at, 342, 304, 265) C(open_tree, 428, 428, 428) \
    C(open_tree_attr, 467, 467, 467) C(openat, 295, 257, 56) C(openat2, 437, 437, 437) C(pause, 29, 34, NO) \
    C(pciconfig_iobase, NO, NO, NO) C(pciconfig_read, NO, NO, NO) C(pciconfig_write, NO, NO, NO) \
    C(perf_event_open, 336, 298, 241) C(personality, 136, 135, 92) C(pidfd_getfd, 438, 438, 438) \
    C(pidfd_open, 434, 434, 434) C(pidfd_send_signal, 424, 424, 424) C(pipe, 42, 22, NO) C(pipe2, 331, 293, 59) \
    C(pivot_root, 217, 155, 41) C(pkey_alloc, 381, 330, 289) C(pkey_free, 382, 331, 290) \
    C(pkey_mprotect, 380, 329, 288) C(poll, 168, 7, NO) C(ppoll, 309, 271, 73) C(ppoll_time64, 414, NO, NO) \
    C(prctl, 172, 157, 167) C(pread64, 180, 17, 67) C(preadv, 333, 295, 69) C(preadv2, 378, 327, 286) \
    C(prlimit64, 340, 302, 261) C(process_madvise, 440, 440, 440) C(process_mrelease, 448, 448, 448) \
    C(process_vm_readv, 347, 310, 270) C(process_vm_writev, 348, 311, 271) C(prof, 44, NO, NO) C(profil, 98, NO, NO) \
    C(pselect6, 308, 270, 72) C(pselect6_time64, 413, NO, NO) C(ptrace, 26, 101, 117) C(putpmsg, 189, 182, NO) \
    C(pwrite64, 181, 18, 68) C(pwritev, 334, 296, 70) C(pwritev2, 379, 328, 287) C(query_module, 167, 178, NO) \
    C(quotactl, 131, 179, 60) C(quotactl_fd, 443, 443, 443) C(read, 3, 0, 63) C(readahead, 225, 187, 213) \
    C(readdir, 89, NO, NO) C(readlink, 85, 89, NO) C(readlinkat, 305, 267, 78) C(readv, 145, 19, 65) \
    C(reboot, 88, 169, 142) C(recv, NO, NO, NO) C(recvfrom, 371, 45, 207) C(recvmmsg, 337, 299, 243) \
    C(recvmmsg_time64, 417, NO, NO) C(recvmsg, 372, 47, 212) C(remap_file_pages, 257, 216, 234) \
    C(removexattr, 235, 197, 14) C(removexattrat, 466, 466, 466) C(rename, 38, 82, NO) C(renameat, 302, 264, 38) \
    C(renameat2, 353, 316, 276) C(request_key, 287, 249, 218) C(reserved177, NO, NO, NO) C(reserved193, NO, NO, NO) \
    C(reserved221, NO, NO, NO) C(reserved82, NO, NO, NO) C(restart_syscall, 0, 219, 128) \
    C(riscv_flush_icache, NO, NO, NO) C(riscv_hwprobe, NO, NO, NO) C(rmdir, 40, 84, NO) C(rseq, 386, 334, 293) \
    C(rseq_slice_yield, 471, 471, 471) C(rt_sigaction, 174, 13, 134) C(rt_sigpending, 176, 127, 136) \
    C(rt_sigprocmask, 175, 14, 135) C(rt_sigqueueinfo, 178, 129, 138) C(rt_sigreturn, 173, 15, 139) \
    C(rt_sigsuspend, 179, 130, 133) C(rt_sigtimedwait, 177, 128, 137) C(rt_sigtimedwait_time64, 421, NO, NO) \
    C(rt_tgsigqueueinfo, 335, 297, 240) C(rtas, NO, NO, NO) C(s390_guarded_storage, NO, NO, NO) \
    C(s390_pci_mmio_read, NO, NO, NO) C(s390_pci_mmio_write, NO, NO, NO) C(s390_runtime_instr, NO, NO, NO) \
    C(s390_sthyi, NO, NO, NO) C(sched_get_priority_max, 159, 146, 125) C(sched_get_priority_min, 160, 147, 126) \
    C(sched_getaffinity, 242, 204, 123) C(sched_getattr, 352, 315, 275) C(sched_getparam, 155, 143, 121) \
    C(sched_getscheduler, 157, 145, 120) C(sched_rr_get_interval, 161, 148, 127) \
    C(sched_rr_get_interval_time64, 423, NO, NO) C(sched_setaffinity, 241, 203, 122) C(sched_setattr, 351, 314, 274) \
    C(sched_setparam, 154, 142, 118) C(sched_setscheduler, 156, 144, 119) C(sched_yield, 158, 24, 124) \
    C(seccomp, 354, 317, 277) C(security, NO, 185, NO) C(select, 82, 23, NO) C(semctl, 394, 66, 191) \
    C(semget, 393, 64, 190) C(semop, NO, 65, 193) C(semtimedop, NO, 220, 192) C(semtimedop_time64, 420, NO, NO) \
    C(send, NO, NO, NO) C(sendfile, 187, 40, 71) C(sendfile64, 239, NO, NO) C(sendmmsg, 345, 307, 269) \
    C(sendmsg, 370, 46, 211) C(sendto, 369, 44, 206) C(set_mempolicy, 276, 238, 237) \
    C(set_mempolicy_home_node, 450, 450, 450) C(set_robust_list, 311, 273, 99) C(set_thread_area, 243, 205, NO) \
    C(set_tid_address, 258, 218, 96) C(set_tls, NO, NO, NO) C(setdomainname, 121, 171, 162) \
    C(setfsgid, 139, 123, 152) C(setfsgid32, 216, NO, NO) C(setfsuid, 138, 122, 151) C(setfsuid32, 215, NO, NO) \
    C(setgid, 46, 106, 144) C(setgid32, 214, NO, NO) C(setgroups, 81, 116, 159) C(setgroups32, 206, NO, NO) \
    C(sethostname, 74, 170, 161) C(setitimer, 104, 38, 103) C(setns, 346, 308, 268) C(setpgid, 57, 109, 154) \
    C(setpriority, 97, 141, 140) C(setregid, 71, 114, 143) C(setregid32, 204, NO, NO) C(setresgid, 170, 119, 149) \
    C(setresgid32, 210, NO, NO) C(setresuid, 164, 117, 147) C(setresuid32, 208, NO, NO) C(setreuid, 70, 113, 145) \
    C(setreuid32, 203, NO, NO) C(setrlimit, 75, 160, 164) C(setsid, 66, 112, 157) C(setsockopt, 366, 54, 208) \
    C(settimeofday, 79, 164, 170) C(setuid, 23, 105, 146) C(setuid32, 213, NO, NO) C(setxattr, 226, 188, 5) \
    C(setxattrat, 463, 463, 463) C(sgetmask, 68, NO, NO) C(shmat, 397, 30, 196) C(shmctl, 396, 31, 195) \
    C(shmdt, 398, 67, 197) C(shmget, 395, 29, 194) C(shutdown, 373, 48, 210) C(sigaction, 67, NO, NO) \
    C(sigaltstack, 186, 131, 132) C(signal, 48, NO, NO) C(signalfd, 321, 282, NO) C(signalfd4, 327, 289, 74) \
    C(sigpending, 73, NO, NO) C(sigprocmask, 126, NO, NO) C(sigreturn, 119, NO, NO) C(sigsuspend, 72, NO, NO) \
    C(socket, 359, 41, 198) C(socketcall, 102, NO, NO) C(socketpair, 360, 53, 199) C(splice, 313, 275, 76) \
    C(spu_create, NO, NO, NO) C(spu_run, NO, NO, NO) C(ssetmask, 69, NO, NO) C(stat, 106, 4, NO) \
    C(stat64, 195, NO, NO) C(statfs, 99, 137, 43) C(statfs64, 268, NO, NO) C(statmount, 457, 457, 457) \
    C(statx, 383, 332, 291) C(stime, 25, NO, NO) C(stty, 31, NO, NO) C(subpage_prot, NO, NO, NO) \
    C(swapcontext, NO, NO, NO) C(swapoff, 115, 168, 225) C(swapon, 87, 167, 224) C(switch_endian, NO, NO, NO) \
    C(symlink, 83, 88, NO) C(symlinkat, 304, 266, 36) C(sync, 36, 162, 81) C(sync_file_range, 314, 277, 84) \
    C(sync_file_range2, NO, NO, NO) C(syncfs, 344, 306, 267) C(sys_debug_setcontext, NO, NO, NO) \
    C(syscall, NO, NO, NO) C(sysfs, 135, 139, NO) C(sysinfo, 116, 99, 179) C(syslog, 103, 103, 116) \
    C(sysmips, NO, NO, NO) C(tee, 315, 276, 77) C(tgkill, 270, 234, 131) C(time, 13, 201, NO) \
    C(timer_create, 259, 222, 107) C(timer_delete, 263, 226, 111) C(timer_getoverrun, 262, 225, 109) \
    C(timer_gettime, 261, 224, 108) C(timer_gettime64, 408, NO, NO) C(timer_settime, 260, 223, 110) \
    C(timer_settime64, 409, NO, NO) C(timerfd, NO, NO, NO) C(timerfd_create, 322, 283, 85) \
    C(timerfd_gettime, 326, 287, 87) C(timerfd_gettime64, 410, NO, NO) C(timerfd_settime, 325, 286, 86) \
    C(timerfd_settime64, 411, NO, NO) C(times, 43, 100, 153) C(tkill, 238, 200, 130) C(truncate, 92, 76, 45) \
    C(truncate64, 193, NO, NO) C(tuxcall, NO, 184, NO) C(ugetrlimit, 191, NO, NO) C(ulimit, 58, NO, NO) \
    C(umask, 60, 95, 166) C(umount, 22, NO, NO) C(umount2, 52, 166, 39) C(uname, 122, 63, 160) C(unlink, 10, 87, NO) \
    C(unlinkat, 301, 263, 35) C(unshare, 310, 272, 97) C(unused109, NO, NO, NO) C(unused150, NO, NO, NO) \
    C(unused18, NO, NO, NO) C(unused28, NO, NO, NO) C(unused59, NO, NO, NO) C(unused84, NO, NO, NO) \
    C(uprobe, NO, 336, NO) C(uretprobe, NO, 335, NO) C(uselib, 86, 134, NO) C(userfaultfd, 374, 323, 282) \
    C(usr26, NO, NO, NO) C(usr32, NO, NO, NO) C(ustat, 62, 136, NO) C(utime, 30, 132, NO) C(utimensat, 320, 280, 88) \
    C(utimensat_time64, 412, NO, NO) C(utimes, 271, 235, NO) C(vfork, 190, 58, NO) C(vhangup, 111, 153, 58) \
    C(vm86, 166, NO, NO) C(vm86old, 113, NO, NO) C(vmsplice, 316, 278, 75) C(vserver, 273, 236, NO) \
    C(wait4, 114, 61, 260) C(waitid, 284, 247, 95) C(waitpid, 7, NO, NO) C(write, 4, 1, 64) C(writev, 146, 20, 66)

enum { OCIRT__SECCOMP_NONE = 0xffff, OCIRT__SECCOMP_SLOTS = 1024, OCIRT__SECCOMP_PRIVATE = 1000 };

/* The names in one piece, as char arrays of a struct: an offset takes two bytes, a pointer eight and a relocation. */
#define OCIRT__SECCOMP_MEMBER(name, i386, x86_64, generic) char n_##name[sizeof #name];
#define OCIRT__SECCOMP_TEXT(name, i386, x86_64, generic)   #name,
#define OCIRT__SECCOMP_ID(name, i386, x86_64, generic)     OCIRT__CALL_##name,
#define OCIRT__SECCOMP_ROW(name, i386, x86_64, generic)    {offsetof(struct ocirt__seccomp_texts, n_##name), {i386, x86_64, generic}},
struct ocirt__seccomp_texts {
    OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_MEMBER, 0)
};
static const struct ocirt__seccomp_texts ocirt__seccomp_texts = {OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_TEXT, 0)};
enum { OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_ID, 0) OCIRT__CALLS };
static const struct ocirt__seccomp_call {
    uint16_t name, number[3];
} ocirt__seccomp_calls[] = {OCIRT__SECCOMP_CALLS(OCIRT__SECCOMP_ROW, OCIRT__SECCOMP_NONE)};

/* The other ports, each after one above it: from `number` on, `count` calls in the order that the other has them in,
   beginning with `call`. What ARM alone has (__ARM_NR_) is 1000 and more. */
struct ocirt__seccomp_run {
    unsigned number : 11, call : 12, count : 9;
};
#define OCIRT__R(number, name, count) {number, OCIRT__CALL_##name, count}
static const struct ocirt__seccomp_run ocirt__seccomp_x32[] = { /* after x86_64 */
    OCIRT__R(0, read, 13), OCIRT__R(14, rt_sigprocmask, 1), OCIRT__R(17, pread64, 2), OCIRT__R(21, access, 24),
    OCIRT__R(48, shutdown, 6), OCIRT__R(56, clone, 3), OCIRT__R(60, exit, 41), OCIRT__R(102, getuid, 25),
    OCIRT__R(130, rt_sigsuspend, 1), OCIRT__R(132, utime, 2), OCIRT__R(135, personality, 21),
    OCIRT__R(157, prctl, 17), OCIRT__R(175, init_module, 2), OCIRT__R(179, quotactl, 1), OCIRT__R(181, getpmsg, 24),
    OCIRT__R(207, io_destroy, 2), OCIRT__R(210, io_cancel, 1), OCIRT__R(212, lookup_dcookie, 2),
    OCIRT__R(216, remap_file_pages, 6), OCIRT__R(223, timer_settime, 13), OCIRT__R(237, mbind, 7),
    OCIRT__R(245, mq_getsetattr, 1), OCIRT__R(248, add_key, 25), OCIRT__R(275, splice, 3),
    OCIRT__R(280, utimensat, 15), OCIRT__R(298, perf_event_open, 1), OCIRT__R(300, fanotify_init, 7),
    OCIRT__R(308, setns, 2), OCIRT__R(312, kcmp, 10), OCIRT__R(323, userfaultfd, 4),
    OCIRT__R(329, pkey_mprotect, 56), OCIRT__R(512, rt_sigaction, 1), OCIRT__R(513, rt_sigreturn, 2),
    OCIRT__R(515, readv, 2), OCIRT__R(517, recvfrom, 3), OCIRT__R(520, execve, 1), OCIRT__R(521, ptrace, 1),
    OCIRT__R(522, rt_sigpending, 3), OCIRT__R(525, sigaltstack, 1), OCIRT__R(526, timer_create, 1),
    OCIRT__R(527, mq_notify, 1), OCIRT__R(528, kexec_load, 2), OCIRT__R(530, set_robust_list, 2),
    OCIRT__R(532, vmsplice, 2), OCIRT__R(534, preadv, 3), OCIRT__R(537, recvmmsg, 1), OCIRT__R(538, sendmmsg, 1),
    OCIRT__R(539, process_vm_readv, 2), OCIRT__R(541, setsockopt, 2), OCIRT__R(543, io_setup, 1),
    OCIRT__R(544, io_submit, 1), OCIRT__R(545, execveat, 1), OCIRT__R(546, preadv2, 2)};
static const struct ocirt__seccomp_run ocirt__seccomp_n64[] = { /* after x86_64 */
    OCIRT__R(0, read, 15), OCIRT__R(15, ioctl, 7), OCIRT__R(22, _newselect, 1), OCIRT__R(23, sched_yield, 13),
    OCIRT__R(36, setitimer, 1), OCIRT__R(37, alarm, 1), OCIRT__R(38, getpid, 19), OCIRT__R(57, execve, 75),
    OCIRT__R(132, personality, 19), OCIRT__R(151, pivot_root, 3), OCIRT__R(154, adjtimex, 13),
    OCIRT__R(167, create_module, 10), OCIRT__R(177, reserved177, 1), OCIRT__R(178, gettid, 15),
    OCIRT__R(193, reserved193, 1), OCIRT__R(194, futex, 3), OCIRT__R(197, cacheflush, 1), OCIRT__R(198, cachectl, 1),
    OCIRT__R(199, sysmips, 1), OCIRT__R(200, io_setup, 5), OCIRT__R(205, exit_group, 1),
    OCIRT__R(206, lookup_dcookie, 2), OCIRT__R(208, epoll_ctl, 1), OCIRT__R(209, epoll_wait, 1),
    OCIRT__R(210, remap_file_pages, 1), OCIRT__R(211, rt_sigreturn, 1), OCIRT__R(212, set_tid_address, 13),
    OCIRT__R(225, tgkill, 2), OCIRT__R(227, mbind, 1), OCIRT__R(228, get_mempolicy, 1),
    OCIRT__R(229, set_mempolicy, 1), OCIRT__R(230, mq_open, 6), OCIRT__R(236, vserver, 1), OCIRT__R(237, waitid, 1),
    OCIRT__R(239, add_key, 3), OCIRT__R(242, set_thread_area, 1), OCIRT__R(243, inotify_init, 20),
    OCIRT__R(263, splice, 1), OCIRT__R(264, sync_file_range, 1), OCIRT__R(265, tee, 1), OCIRT__R(266, vmsplice, 2),
    OCIRT__R(268, set_robust_list, 2), OCIRT__R(270, kexec_load, 1), OCIRT__R(271, getcpu, 1),
    OCIRT__R(272, epoll_pwait, 1), OCIRT__R(273, ioprio_set, 2), OCIRT__R(275, utimensat, 1),
    OCIRT__R(276, signalfd, 1), OCIRT__R(277, timerfd, 1), OCIRT__R(278, eventfd, 2),
    OCIRT__R(280, timerfd_create, 1), OCIRT__R(281, timerfd_gettime, 1), OCIRT__R(282, timerfd_settime, 1),
    OCIRT__R(283, signalfd4, 10), OCIRT__R(293, accept4, 1), OCIRT__R(294, recvmmsg, 10),
    OCIRT__R(304, process_vm_readv, 4), OCIRT__R(308, getdents64, 1), OCIRT__R(309, sched_setattr, 6),
    OCIRT__R(315, bpf, 12), OCIRT__R(327, rseq, 1), OCIRT__R(328, io_pgetevents, 1),
    OCIRT__R(424, pidfd_send_signal, 23), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_n32[] = { /* after n64 */
    OCIRT__R(0, read, 212), OCIRT__R(212, fcntl64, 1), OCIRT__R(213, set_tid_address, 4), OCIRT__R(217, statfs64, 1),
    OCIRT__R(218, fstatfs64, 1), OCIRT__R(219, sendfile64, 1), OCIRT__R(220, timer_create, 78),
    OCIRT__R(299, getdents64, 1), OCIRT__R(300, fanotify_init, 13), OCIRT__R(313, sched_setattr, 20),
    OCIRT__R(403, clock_gettime64, 1), OCIRT__R(404, clock_settime64, 1), OCIRT__R(405, clock_adjtime64, 1),
    OCIRT__R(406, clock_getres_time64, 1), OCIRT__R(407, clock_nanosleep_time64, 1),
    OCIRT__R(408, timer_gettime64, 1), OCIRT__R(409, timer_settime64, 1), OCIRT__R(410, timerfd_gettime64, 1),
    OCIRT__R(411, timerfd_settime64, 1), OCIRT__R(412, utimensat_time64, 1), OCIRT__R(413, pselect6_time64, 1),
    OCIRT__R(414, ppoll_time64, 1), OCIRT__R(416, io_pgetevents_time64, 1), OCIRT__R(417, recvmmsg_time64, 1),
    OCIRT__R(418, mq_timedsend_time64, 1), OCIRT__R(419, mq_timedreceive_time64, 1),
    OCIRT__R(420, semtimedop_time64, 1), OCIRT__R(421, rt_sigtimedwait_time64, 1), OCIRT__R(422, futex_time64, 1),
    OCIRT__R(423, sched_rr_get_interval_time64, 1), OCIRT__R(424, pidfd_send_signal, 47)};
static const struct ocirt__seccomp_run ocirt__seccomp_riscv[] = { /* after generic */
    OCIRT__R(0, io_setup, 38), OCIRT__R(39, umount2, 205), OCIRT__R(258, riscv_hwprobe, 1),
    OCIRT__R(259, riscv_flush_icache, 1), OCIRT__R(260, wait4, 83)};
static const struct ocirt__seccomp_run ocirt__seccomp_loongarch[] = { /* after generic */
    OCIRT__R(0, io_setup, 38), OCIRT__R(39, umount2, 124), OCIRT__R(165, getrusage, 162)};
static const struct ocirt__seccomp_run ocirt__seccomp_sh[] = { /* after i386 */
    OCIRT__R(0, restart_syscall, 17), OCIRT__R(18, oldstat, 13), OCIRT__R(33, access, 2), OCIRT__R(36, sync, 8),
    OCIRT__R(45, brk, 8), OCIRT__R(54, ioctl, 2), OCIRT__R(57, setpgid, 1), OCIRT__R(60, umask, 22),
    OCIRT__R(83, symlink, 15), OCIRT__R(99, statfs, 2), OCIRT__R(102, socketcall, 8), OCIRT__R(111, vhangup, 1),
    OCIRT__R(114, wait4, 9), OCIRT__R(123, cacheflush, 1), OCIRT__R(124, adjtimex, 3), OCIRT__R(128, init_module, 2),
    OCIRT__R(131, quotactl, 6), OCIRT__R(138, setfsuid, 28), OCIRT__R(168, poll, 20), OCIRT__R(190, vfork, 51),
    OCIRT__R(245, io_setup, 27), OCIRT__R(274, mbind, 11), OCIRT__R(285, add_key, 8),
    OCIRT__R(294, migrate_pages, 43), OCIRT__R(337, fanotify_init, 3), OCIRT__R(340, socket, 1),
    OCIRT__R(341, bind, 3), OCIRT__R(344, accept, 1), OCIRT__R(345, getsockname, 2), OCIRT__R(347, socketpair, 1),
    OCIRT__R(348, send, 1), OCIRT__R(349, sendto, 1), OCIRT__R(350, recv, 1), OCIRT__R(351, recvfrom, 1),
    OCIRT__R(352, shutdown, 1), OCIRT__R(353, setsockopt, 1), OCIRT__R(354, getsockopt, 1),
    OCIRT__R(355, sendmsg, 1), OCIRT__R(356, recvmsg, 1), OCIRT__R(357, recvmmsg, 1), OCIRT__R(358, accept4, 1),
    OCIRT__R(359, name_to_handle_at, 10), OCIRT__R(369, sched_getattr, 1), OCIRT__R(370, sched_setattr, 1),
    OCIRT__R(371, renameat2, 6), OCIRT__R(377, userfaultfd, 6), OCIRT__R(383, statx, 1),
    OCIRT__R(384, pkey_mprotect, 3), OCIRT__R(387, rseq, 1), OCIRT__R(388, sync_file_range2, 1),
    OCIRT__R(393, semget, 41), OCIRT__R(436, close_range, 11), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_arm[] = { /* after sh */
    OCIRT__R(0, restart_syscall, 7), OCIRT__R(8, creat, 5), OCIRT__R(14, mknod, 3), OCIRT__R(19, lseek, 3),
    OCIRT__R(23, setuid, 2), OCIRT__R(26, ptrace, 1), OCIRT__R(29, pause, 1), OCIRT__R(33, access, 13),
    OCIRT__R(49, geteuid, 15), OCIRT__R(70, setreuid, 6), OCIRT__R(77, getrusage, 6), OCIRT__R(85, readlink, 4),
    OCIRT__R(91, munmap, 9), OCIRT__R(103, syslog, 6), OCIRT__R(111, vhangup, 4), OCIRT__R(118, fsync, 5),
    OCIRT__R(124, adjtimex, 86), OCIRT__R(217, getdents64, 1), OCIRT__R(218, pivot_root, 3),
    OCIRT__R(221, fcntl64, 20), OCIRT__R(243, io_setup, 5), OCIRT__R(248, exit_group, 6),
    OCIRT__R(256, set_tid_address, 14), OCIRT__R(270, arm_fadvise64_64, 1), OCIRT__R(271, pciconfig_iobase, 1),
    OCIRT__R(272, pciconfig_read, 1), OCIRT__R(273, pciconfig_write, 1), OCIRT__R(274, mq_open, 6),
    OCIRT__R(280, waitid, 1), OCIRT__R(281, socket, 17), OCIRT__R(298, semop, 1), OCIRT__R(299, semget, 2),
    OCIRT__R(301, msgsnd, 2), OCIRT__R(303, msgget, 1), OCIRT__R(304, msgctl, 1), OCIRT__R(305, shmat, 2),
    OCIRT__R(307, shmget, 2), OCIRT__R(309, add_key, 3), OCIRT__R(312, semtimedop, 1), OCIRT__R(313, vserver, 1),
    OCIRT__R(314, ioprio_set, 5), OCIRT__R(319, mbind, 3), OCIRT__R(322, openat, 19),
    OCIRT__R(341, sync_file_range2, 1), OCIRT__R(342, tee, 5), OCIRT__R(347, kexec_load, 1),
    OCIRT__R(348, utimensat, 17), OCIRT__R(365, recvmmsg, 2), OCIRT__R(367, fanotify_init, 3),
    OCIRT__R(370, name_to_handle_at, 10), OCIRT__R(380, sched_setattr, 1), OCIRT__R(381, sched_getattr, 1),
    OCIRT__R(382, renameat2, 12), OCIRT__R(394, pkey_mprotect, 3), OCIRT__R(397, statx, 1), OCIRT__R(398, rseq, 1),
    OCIRT__R(399, io_pgetevents, 1), OCIRT__R(400, migrate_pages, 1), OCIRT__R(401, kexec_file_load, 1),
    OCIRT__R(403, clock_gettime64, 31), OCIRT__R(435, clone3, 1), OCIRT__R(436, close_range, 35),
    OCIRT__R(1001, breakpoint, 1), OCIRT__R(1002, cacheflush, 1), OCIRT__R(1003, usr26, 1), OCIRT__R(1004, usr32, 1),
    OCIRT__R(1005, set_tls, 1), OCIRT__R(1006, get_tls, 1), OCIRT__R(341, arm_sync_file_range, 1)};
static const struct ocirt__seccomp_run ocirt__seccomp_ppc[] = { /* after i386 */
    OCIRT__R(0, restart_syscall, 113), OCIRT__R(113, vm86, 1), OCIRT__R(114, wait4, 52),
    OCIRT__R(166, query_module, 25), OCIRT__R(191, readahead, 1), OCIRT__R(192, mmap2, 6),
    OCIRT__R(198, pciconfig_read, 1), OCIRT__R(199, pciconfig_write, 1), OCIRT__R(200, pciconfig_iobase, 1),
    OCIRT__R(201, multiplexer, 1), OCIRT__R(202, getdents64, 1), OCIRT__R(203, pivot_root, 1),
    OCIRT__R(204, fcntl64, 1), OCIRT__R(205, madvise, 1), OCIRT__R(206, mincore, 1), OCIRT__R(207, gettid, 1),
    OCIRT__R(208, tkill, 1), OCIRT__R(209, setxattr, 12), OCIRT__R(221, futex, 3), OCIRT__R(225, tuxcall, 1),
    OCIRT__R(226, sendfile64, 1), OCIRT__R(227, io_setup, 5), OCIRT__R(232, set_tid_address, 1),
    OCIRT__R(233, fadvise64, 1), OCIRT__R(234, exit_group, 6), OCIRT__R(240, timer_create, 9),
    OCIRT__R(249, swapcontext, 1), OCIRT__R(250, tgkill, 2), OCIRT__R(252, statfs64, 2),
    OCIRT__R(254, fadvise64_64, 1), OCIRT__R(255, rtas, 1), OCIRT__R(256, sys_debug_setcontext, 1),
    OCIRT__R(258, migrate_pages, 1), OCIRT__R(259, mbind, 10), OCIRT__R(269, add_key, 3), OCIRT__R(272, waitid, 1),
    OCIRT__R(273, ioprio_set, 5), OCIRT__R(278, spu_run, 1), OCIRT__R(279, spu_create, 1),
    OCIRT__R(280, pselect6, 3), OCIRT__R(283, splice, 1), OCIRT__R(284, tee, 2), OCIRT__R(286, openat, 13),
    OCIRT__R(299, get_robust_list, 1), OCIRT__R(300, set_robust_list, 1), OCIRT__R(301, move_pages, 7),
    OCIRT__R(308, sync_file_range2, 1), OCIRT__R(309, fallocate, 1), OCIRT__R(310, subpage_prot, 1),
    OCIRT__R(311, timerfd_settime, 8), OCIRT__R(319, perf_event_open, 1), OCIRT__R(320, preadv, 3),
    OCIRT__R(323, fanotify_init, 3), OCIRT__R(326, socket, 1), OCIRT__R(327, bind, 3), OCIRT__R(330, accept, 1),
    OCIRT__R(331, getsockname, 2), OCIRT__R(333, socketpair, 1), OCIRT__R(334, send, 1), OCIRT__R(335, sendto, 1),
    OCIRT__R(336, recv, 1), OCIRT__R(337, recvfrom, 1), OCIRT__R(338, shutdown, 1), OCIRT__R(339, setsockopt, 1),
    OCIRT__R(340, getsockopt, 1), OCIRT__R(341, sendmsg, 1), OCIRT__R(342, recvmsg, 1), OCIRT__R(343, recvmmsg, 1),
    OCIRT__R(344, accept4, 1), OCIRT__R(345, name_to_handle_at, 8), OCIRT__R(353, finit_module, 1),
    OCIRT__R(354, kcmp, 1), OCIRT__R(355, sched_setattr, 8), OCIRT__R(363, switch_endian, 1),
    OCIRT__R(364, userfaultfd, 2), OCIRT__R(378, mlock2, 4), OCIRT__R(382, kexec_file_load, 1),
    OCIRT__R(383, statx, 1), OCIRT__R(384, pkey_alloc, 2), OCIRT__R(386, pkey_mprotect, 1), OCIRT__R(387, rseq, 1),
    OCIRT__R(388, io_pgetevents, 1), OCIRT__R(393, semget, 53), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_ppc64[] = { /* after ppc */
    OCIRT__R(0, restart_syscall, 192), OCIRT__R(198, pciconfig_read, 6), OCIRT__R(205, madvise, 20),
    OCIRT__R(227, io_setup, 27), OCIRT__R(255, rtas, 35), OCIRT__R(291, newfstatat, 1), OCIRT__R(292, unlinkat, 85),
    OCIRT__R(392, semtimedop, 1), OCIRT__R(393, semget, 10), OCIRT__R(424, pidfd_send_signal, 47)};
static const struct ocirt__seccomp_run ocirt__seccomp_s390[] = { /* after i386 */
    OCIRT__R(1, exit, 6), OCIRT__R(7, restart_syscall, 1), OCIRT__R(8, creat, 9), OCIRT__R(19, lseek, 9),
    OCIRT__R(29, pause, 2), OCIRT__R(33, access, 2), OCIRT__R(36, sync, 8), OCIRT__R(45, brk, 8),
    OCIRT__R(54, ioctl, 2), OCIRT__R(57, setpgid, 1), OCIRT__R(60, umask, 8), OCIRT__R(70, setreuid, 12),
    OCIRT__R(83, symlink, 1), OCIRT__R(85, readlink, 13), OCIRT__R(99, statfs, 10), OCIRT__R(110, lookup_dcookie, 1),
    OCIRT__R(111, vhangup, 2), OCIRT__R(114, wait4, 9), OCIRT__R(124, adjtimex, 42), OCIRT__R(167, query_module, 55),
    OCIRT__R(222, readahead, 1), OCIRT__R(223, sendfile64, 1), OCIRT__R(224, setxattr, 12), OCIRT__R(236, gettid, 1),
    OCIRT__R(237, tkill, 1), OCIRT__R(238, futex, 3), OCIRT__R(241, tgkill, 1), OCIRT__R(243, io_setup, 5),
    OCIRT__R(248, exit_group, 1), OCIRT__R(249, epoll_create, 3), OCIRT__R(252, set_tid_address, 1),
    OCIRT__R(253, fadvise64, 1), OCIRT__R(254, timer_create, 9), OCIRT__R(264, fadvise64_64, 1),
    OCIRT__R(265, statfs64, 2), OCIRT__R(267, remap_file_pages, 1), OCIRT__R(268, mbind, 10),
    OCIRT__R(278, add_key, 3), OCIRT__R(281, waitid, 1), OCIRT__R(282, ioprio_set, 31), OCIRT__R(313, utimes, 1),
    OCIRT__R(314, fallocate, 1), OCIRT__R(315, utimensat, 2), OCIRT__R(317, timerfd, 1), OCIRT__R(318, eventfd, 1),
    OCIRT__R(319, timerfd_create, 1), OCIRT__R(320, timerfd_settime, 4), OCIRT__R(324, inotify_init1, 1),
    OCIRT__R(325, pipe2, 1), OCIRT__R(326, dup3, 1), OCIRT__R(327, epoll_create1, 1), OCIRT__R(328, preadv, 4),
    OCIRT__R(332, fanotify_init, 7), OCIRT__R(339, setns, 3), OCIRT__R(342, s390_runtime_instr, 1),
    OCIRT__R(343, kcmp, 9), OCIRT__R(352, s390_pci_mmio_write, 1), OCIRT__R(353, s390_pci_mmio_read, 1),
    OCIRT__R(354, execveat, 1), OCIRT__R(355, userfaultfd, 2), OCIRT__R(357, recvmmsg, 1),
    OCIRT__R(358, sendmmsg, 1), OCIRT__R(359, socket, 15), OCIRT__R(374, mlock2, 4),
    OCIRT__R(378, s390_guarded_storage, 1), OCIRT__R(379, statx, 1), OCIRT__R(380, s390_sthyi, 1),
    OCIRT__R(381, kexec_file_load, 1), OCIRT__R(382, io_pgetevents, 2), OCIRT__R(384, pkey_mprotect, 3),
    OCIRT__R(393, semget, 69)};
static const struct ocirt__seccomp_run ocirt__seccomp_s390x[] = { /* after s390 */
    OCIRT__R(1, exit, 12), OCIRT__R(14, mknod, 2), OCIRT__R(19, lseek, 4), OCIRT__R(26, ptrace, 15),
    OCIRT__R(48, signal, 1), OCIRT__R(51, acct, 13), OCIRT__R(72, sigsuspend, 4), OCIRT__R(77, getrusage, 3),
    OCIRT__R(83, symlink, 11), OCIRT__R(96, getpriority, 4), OCIRT__R(102, socketcall, 33),
    OCIRT__R(141, getdents, 1), OCIRT__R(142, select, 1), OCIRT__R(143, flock, 21), OCIRT__R(167, query_module, 3),
    OCIRT__R(172, prctl, 10), OCIRT__R(183, getcwd, 8), OCIRT__R(191, getrlimit, 1), OCIRT__R(198, lchown, 1),
    OCIRT__R(199, getuid, 1), OCIRT__R(200, getgid, 1), OCIRT__R(201, geteuid, 2), OCIRT__R(203, setreuid, 2),
    OCIRT__R(205, getgroups, 2), OCIRT__R(207, fchown, 1), OCIRT__R(208, setresuid, 2), OCIRT__R(210, setresgid, 2),
    OCIRT__R(212, chown, 1), OCIRT__R(213, setuid, 1), OCIRT__R(214, setgid, 1), OCIRT__R(215, setfsuid, 2),
    OCIRT__R(217, pivot_root, 4), OCIRT__R(222, readahead, 1), OCIRT__R(224, setxattr, 38),
    OCIRT__R(265, statfs64, 28), OCIRT__R(293, newfstatat, 1), OCIRT__R(294, unlinkat, 93),
    OCIRT__R(392, semtimedop, 1), OCIRT__R(393, semget, 10), OCIRT__R(424, pidfd_send_signal, 39),
    OCIRT__R(463, setxattrat, 1), OCIRT__R(464, getxattrat, 1), OCIRT__R(465, listxattrat, 1),
    OCIRT__R(466, removexattrat, 1), OCIRT__R(467, open_tree_attr, 1), OCIRT__R(468, file_getattr, 1),
    OCIRT__R(469, file_setattr, 1), OCIRT__R(470, listns, 1), OCIRT__R(471, rseq_slice_yield, 1)};
static const struct ocirt__seccomp_run ocirt__seccomp_mips[] = { /* after i386 */
    OCIRT__R(0, syscall, 1), OCIRT__R(1, exit, 17), OCIRT__R(18, unused18, 1), OCIRT__R(19, lseek, 9),
    OCIRT__R(28, unused28, 1), OCIRT__R(29, pause, 30), OCIRT__R(59, unused59, 1), OCIRT__R(60, umask, 22),
    OCIRT__R(82, reserved82, 1), OCIRT__R(83, symlink, 1), OCIRT__R(84, unused84, 1), OCIRT__R(85, readlink, 24),
    OCIRT__R(109, unused109, 1), OCIRT__R(110, iopl, 3), OCIRT__R(113, vm86, 1), OCIRT__R(114, wait4, 33),
    OCIRT__R(147, cacheflush, 1), OCIRT__R(148, cachectl, 1), OCIRT__R(149, sysmips, 1), OCIRT__R(150, unused150, 1),
    OCIRT__R(151, getsid, 17), OCIRT__R(168, accept, 1), OCIRT__R(169, bind, 2), OCIRT__R(171, getpeername, 1),
    OCIRT__R(172, getsockname, 1), OCIRT__R(173, getsockopt, 1), OCIRT__R(174, listen, 1), OCIRT__R(175, recv, 1),
    OCIRT__R(176, recvfrom, 2), OCIRT__R(178, send, 1), OCIRT__R(179, sendmsg, 1), OCIRT__R(180, sendto, 1),
    OCIRT__R(181, setsockopt, 1), OCIRT__R(182, shutdown, 1), OCIRT__R(183, socket, 2), OCIRT__R(185, setresuid, 2),
    OCIRT__R(187, query_module, 23), OCIRT__R(210, mmap2, 6), OCIRT__R(216, pivot_root, 5),
    OCIRT__R(221, reserved221, 1), OCIRT__R(222, gettid, 19), OCIRT__R(241, io_setup, 5),
    OCIRT__R(246, exit_group, 7), OCIRT__R(253, restart_syscall, 1), OCIRT__R(254, fadvise64, 1),
    OCIRT__R(255, statfs64, 2), OCIRT__R(257, timer_create, 9), OCIRT__R(266, tgkill, 2), OCIRT__R(268, mbind, 9),
    OCIRT__R(277, vserver, 1), OCIRT__R(278, waitid, 4), OCIRT__R(283, set_thread_area, 1),
    OCIRT__R(284, inotify_init, 20), OCIRT__R(304, splice, 5), OCIRT__R(309, set_robust_list, 2),
    OCIRT__R(311, kexec_load, 1), OCIRT__R(312, getcpu, 2), OCIRT__R(314, ioprio_set, 2),
    OCIRT__R(316, utimensat, 2), OCIRT__R(318, timerfd, 1), OCIRT__R(319, eventfd, 2),
    OCIRT__R(321, timerfd_create, 1), OCIRT__R(322, timerfd_gettime, 1), OCIRT__R(323, timerfd_settime, 1),
    OCIRT__R(324, signalfd4, 10), OCIRT__R(334, accept4, 1), OCIRT__R(335, recvmmsg, 22),
    OCIRT__R(357, userfaultfd, 10), OCIRT__R(367, rseq, 1), OCIRT__R(368, io_pgetevents, 1),
    OCIRT__R(393, semget, 53), OCIRT__R(448, process_mrelease, 24)};
static const struct ocirt__seccomp_run ocirt__seccomp_parisc[] = { /* after sh */
    OCIRT__R(0, restart_syscall, 17), OCIRT__R(17, socket, 1), OCIRT__R(18, stat, 1), OCIRT__R(19, lseek, 3),
    OCIRT__R(22, bind, 1), OCIRT__R(23, setuid, 5), OCIRT__R(28, fstat, 1), OCIRT__R(29, pause, 2),
    OCIRT__R(31, connect, 2), OCIRT__R(33, access, 2), OCIRT__R(35, accept, 1), OCIRT__R(36, sync, 8),
    OCIRT__R(44, getsockname, 1), OCIRT__R(45, brk, 8), OCIRT__R(53, getpeername, 1), OCIRT__R(54, ioctl, 2),
    OCIRT__R(56, socketpair, 1), OCIRT__R(57, setpgid, 1), OCIRT__R(58, send, 1), OCIRT__R(59, uname, 1),
    OCIRT__R(60, umask, 7), OCIRT__R(67, pivot_root, 1), OCIRT__R(68, sgetmask, 4), OCIRT__R(72, mincore, 1),
    OCIRT__R(73, sigpending, 9), OCIRT__R(82, sendto, 1), OCIRT__R(83, symlink, 1), OCIRT__R(84, lstat, 1),
    OCIRT__R(85, readlink, 4), OCIRT__R(89, mmap2, 1), OCIRT__R(90, mmap, 8), OCIRT__R(98, recv, 1),
    OCIRT__R(99, statfs, 2), OCIRT__R(101, stat64, 1), OCIRT__R(103, syslog, 3), OCIRT__R(106, capget, 2),
    OCIRT__R(108, pread64, 2), OCIRT__R(110, getcwd, 1), OCIRT__R(111, vhangup, 1), OCIRT__R(112, fstat64, 1),
    OCIRT__R(113, vfork, 1), OCIRT__R(114, wait4, 3), OCIRT__R(117, shutdown, 1), OCIRT__R(118, fsync, 1),
    OCIRT__R(119, madvise, 1), OCIRT__R(120, clone, 2), OCIRT__R(122, sendfile, 1), OCIRT__R(123, recvfrom, 1),
    OCIRT__R(124, adjtimex, 39), OCIRT__R(166, sigaltstack, 1), OCIRT__R(168, poll, 1), OCIRT__R(170, setresgid, 10),
    OCIRT__R(180, chown, 1), OCIRT__R(181, setsockopt, 4), OCIRT__R(185, semop, 1), OCIRT__R(186, semget, 2),
    OCIRT__R(188, msgsnd, 2), OCIRT__R(190, msgget, 1), OCIRT__R(191, msgctl, 1), OCIRT__R(192, shmat, 2),
    OCIRT__R(194, shmget, 2), OCIRT__R(198, lstat64, 1), OCIRT__R(199, truncate64, 2), OCIRT__R(201, getdents64, 2),
    OCIRT__R(206, gettid, 2), OCIRT__R(208, tkill, 10), OCIRT__R(222, exit_group, 6), OCIRT__R(228, semtimedop, 1),
    OCIRT__R(229, mq_open, 6), OCIRT__R(235, waitid, 1), OCIRT__R(236, fadvise64_64, 1),
    OCIRT__R(237, set_tid_address, 1), OCIRT__R(238, setxattr, 12), OCIRT__R(250, timer_create, 9),
    OCIRT__R(259, tgkill, 1), OCIRT__R(260, mbind, 3), OCIRT__R(264, add_key, 8), OCIRT__R(272, migrate_pages, 1),
    OCIRT__R(273, pselect6, 2), OCIRT__R(275, openat, 13), OCIRT__R(288, unshare, 10), OCIRT__R(298, statfs64, 2),
    OCIRT__R(300, kexec_load, 1), OCIRT__R(301, utimensat, 2), OCIRT__R(304, eventfd, 2),
    OCIRT__R(306, timerfd_create, 1), OCIRT__R(307, timerfd_settime, 12), OCIRT__R(319, recvmmsg, 2),
    OCIRT__R(321, prlimit64, 1), OCIRT__R(322, fanotify_init, 2), OCIRT__R(324, clock_adjtime, 1),
    OCIRT__R(325, name_to_handle_at, 2), OCIRT__R(327, syncfs, 1), OCIRT__R(328, setns, 1),
    OCIRT__R(329, sendmmsg, 1), OCIRT__R(330, process_vm_readv, 4), OCIRT__R(334, sched_setattr, 1),
    OCIRT__R(335, sched_getattr, 1), OCIRT__R(336, utimes, 1), OCIRT__R(337, renameat2, 6),
    OCIRT__R(343, membarrier, 1), OCIRT__R(344, userfaultfd, 1), OCIRT__R(345, mlock2, 5),
    OCIRT__R(350, io_pgetevents, 1), OCIRT__R(351, pkey_mprotect, 4), OCIRT__R(355, kexec_file_load, 1),
    OCIRT__R(356, cacheflush, 1), OCIRT__R(403, clock_gettime64, 31), OCIRT__R(435, clone3, 1),
    OCIRT__R(436, close_range, 35)};
static const struct ocirt__seccomp_run ocirt__seccomp_parisc64[] = { /* after parisc */
    OCIRT__R(0, restart_syscall, 136), OCIRT__R(141, getdents, 203), OCIRT__R(424, pidfd_send_signal, 47)};
static const struct ocirt__seccomp_run ocirt__seccomp_m68k[] = { /* after i386 */
    OCIRT__R(0, restart_syscall, 16), OCIRT__R(16, chown, 1), OCIRT__R(18, oldstat, 13), OCIRT__R(33, access, 2),
    OCIRT__R(36, sync, 8), OCIRT__R(45, brk, 8), OCIRT__R(54, ioctl, 2), OCIRT__R(57, setpgid, 1),
    OCIRT__R(60, umask, 38), OCIRT__R(99, statfs, 2), OCIRT__R(102, socketcall, 7), OCIRT__R(111, vhangup, 1),
    OCIRT__R(114, wait4, 9), OCIRT__R(123, cacheflush, 1), OCIRT__R(124, adjtimex, 13), OCIRT__R(138, setfsuid, 28),
    OCIRT__R(166, getpagesize, 1), OCIRT__R(167, query_module, 15), OCIRT__R(182, lchown, 1),
    OCIRT__R(183, getcwd, 15), OCIRT__R(198, chown32, 1), OCIRT__R(199, getuid32, 13), OCIRT__R(212, lchown32, 1),
    OCIRT__R(213, setuid32, 5), OCIRT__R(220, getdents64, 1), OCIRT__R(221, gettid, 1), OCIRT__R(222, tkill, 1),
    OCIRT__R(223, setxattr, 12), OCIRT__R(235, futex, 1), OCIRT__R(236, sendfile64, 1), OCIRT__R(237, mincore, 2),
    OCIRT__R(239, fcntl64, 1), OCIRT__R(240, readahead, 1), OCIRT__R(241, io_setup, 6),
    OCIRT__R(247, exit_group, 21), OCIRT__R(268, mbind, 9), OCIRT__R(277, waitid, 33),
    OCIRT__R(311, sched_setaffinity, 2), OCIRT__R(313, kexec_load, 1), OCIRT__R(314, getcpu, 19),
    OCIRT__R(333, get_thread_area, 1), OCIRT__R(334, set_thread_area, 1), OCIRT__R(335, atomic_cmpxchg_32, 1),
    OCIRT__R(336, atomic_barrier, 1), OCIRT__R(337, fanotify_init, 7), OCIRT__R(344, setns, 8),
    OCIRT__R(352, getrandom, 19), OCIRT__R(371, recvmmsg, 1), OCIRT__R(372, sendmmsg, 1),
    OCIRT__R(373, userfaultfd, 6), OCIRT__R(379, statx, 1), OCIRT__R(380, seccomp, 1),
    OCIRT__R(381, pkey_mprotect, 3), OCIRT__R(384, rseq, 1), OCIRT__R(393, semget, 53),
    OCIRT__R(448, process_mrelease, 24)};
#undef OCIRT__R

enum {
    OCIRT__PORT_I386, OCIRT__PORT_X86_64, OCIRT__PORT_GENERIC, OCIRT__PORT_X32, OCIRT__PORT_N64, OCIRT__PORT_N32, OCIRT__PORT_RISCV,
    OCIRT__PORT_LOONGARCH, OCIRT__PORT_SH, OCIRT__PORT_ARM, OCIRT__PORT_PPC, OCIRT__PORT_PPC64, OCIRT__PORT_S390, OCIRT__PORT_S390X,
    OCIRT__PORT_MIPS, OCIRT__PORT_PARISC, OCIRT__PORT_PARISC64, OCIRT__PORT_M68K
};

#define OCIRT__SECCOMP_X32 0x40000000u /* bit in the number */
#define OCIRT__SECCOMP_ARM 0xf0000u    /* of ARM's own calls */

static const struct ocirt__seccomp_port {
    const struct ocirt__seccomp_run *runs;
    uint8_t  count, like; /* of runs; the port they follow */
    bool     wide, muxed; /* 64-bit arguments; has socketcall and ipc */
    uint32_t first;       /* number of call 0 */
} ocirt__seccomp_ports[] = {
#define OCIRT__RUNS(port) .runs = ocirt__seccomp_##port, .count = sizeof ocirt__seccomp_##port / sizeof ocirt__seccomp_##port[0]
    [OCIRT__PORT_I386]      = {.muxed = true},
    [OCIRT__PORT_X86_64]    = {.like = 1, .wide = true},
    [OCIRT__PORT_GENERIC]   = {.like = 2, .wide = true},
    [OCIRT__PORT_X32]       = {OCIRT__RUNS(x32), .like = OCIRT__PORT_X86_64, .first = OCIRT__SECCOMP_X32},
    [OCIRT__PORT_N64]       = {OCIRT__RUNS(n64), .like = OCIRT__PORT_X86_64, .wide = true, .first = 5000},
    [OCIRT__PORT_N32]       = {OCIRT__RUNS(n32), .like = OCIRT__PORT_N64, .first = 6000},
    [OCIRT__PORT_RISCV]     = {OCIRT__RUNS(riscv), .like = OCIRT__PORT_GENERIC, .wide = true},
    [OCIRT__PORT_LOONGARCH] = {OCIRT__RUNS(loongarch), .like = OCIRT__PORT_GENERIC, .wide = true},
    [OCIRT__PORT_SH]        = {OCIRT__RUNS(sh), .like = OCIRT__PORT_I386, .muxed = true},
    [OCIRT__PORT_ARM]       = {OCIRT__RUNS(arm), .like = OCIRT__PORT_SH},
    [OCIRT__PORT_PPC]       = {OCIRT__RUNS(ppc), .like = OCIRT__PORT_I386, .muxed = true},
    [OCIRT__PORT_PPC64]     = {OCIRT__RUNS(ppc64), .like = OCIRT__PORT_PPC, .wide = true, .muxed = true},
    [OCIRT__PORT_S390]      = {OCIRT__RUNS(s390), .like = OCIRT__PORT_I386, .muxed = true},
    [OCIRT__PORT_S390X]     = {OCIRT__RUNS(s390x), .like = OCIRT__PORT_S390, .wide = true, .muxed = true},
    [OCIRT__PORT_MIPS]      = {OCIRT__RUNS(mips), .like = OCIRT__PORT_I386, .muxed = true, .first = 4000},
    [OCIRT__PORT_PARISC]    = {OCIRT__RUNS(parisc), .like = OCIRT__PORT_SH},
    [OCIRT__PORT_PARISC64]  = {OCIRT__RUNS(parisc64), .like = OCIRT__PORT_PARISC, .wide = true},
    [OCIRT__PORT_M68K]      = {OCIRT__RUNS(m68k), .like = OCIRT__PORT_I386, .muxed = true}};
#undef OCIRT__RUNS

/* A kernel reports only architectures of its own family. Rows are in the order of ocirt__names_seccomp_archs. */
static const struct ocirt__seccomp_arch {
    uint8_t port, family;
} ocirt__seccomp_archs[] = {
    {OCIRT__PORT_I386, 1}, {OCIRT__PORT_X86_64, 1}, {OCIRT__PORT_X32, 1}, {OCIRT__PORT_ARM, 2}, {OCIRT__PORT_GENERIC, 2}, {OCIRT__PORT_MIPS, 3},
    {OCIRT__PORT_N64, 3}, {OCIRT__PORT_N32, 3}, {OCIRT__PORT_MIPS, 4}, {OCIRT__PORT_N64, 4}, {OCIRT__PORT_N32, 4}, {OCIRT__PORT_PPC, 5},
    {OCIRT__PORT_PPC64, 5}, {OCIRT__PORT_PPC64, 6}, {OCIRT__PORT_S390, 7}, {OCIRT__PORT_S390X, 7}, {OCIRT__PORT_PARISC, 8},
    {OCIRT__PORT_PARISC64, 8}, {OCIRT__PORT_RISCV, 9}, {OCIRT__PORT_LOONGARCH, 10}, {OCIRT__PORT_M68K, 11}, {OCIRT__PORT_SH, 12},
    {OCIRT__PORT_SH, 13}};
enum { OCIRT__SECCOMP_ARCHS = sizeof ocirt__seccomp_archs / sizeof ocirt__seccomp_archs[0], OCIRT__SECCOMP_X32_ROW = 2 };

/* What this build runs on, as AUDIT_ARCH_. */
static uint32_t ocirt__seccomp_native(void) {
#if defined(__x86_64__)
    return 0xc000003e;
#elif defined(__i386__)
    return 0x40000003;
#elif defined(__aarch64__)
    return 0xc00000b7;
#elif defined(__arm__)
    return 0x40000028;
#elif defined(__riscv)
    return 0xc00000f3;
#elif defined(__loongarch__)
    return 0xc0000102;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return 0xc0000015;
#elif defined(__powerpc64__)
    return 0x80000015;
#elif defined(__powerpc__)
    return 0x14;
#elif defined(__s390x__)
    return 0x80000016;
#elif defined(__s390__)
    return 0x16;
#elif defined(__mips__)
    return 8u | (_MIPS_SIM == _ABIO32 ? 0 : 0x80000000u) | (_MIPS_SIM == _ABIN32 ? 0x20000000u : 0) | (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0x40000000u : 0);
#elif defined(__hppa__)
    return 0xf;
#elif defined(__m68k__)
    return 4;
#elif defined(__sh__)
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0x4000002a : 0x2a;
#else
    return 0; /* no table: a profile is refused */
#endif
}

/* Row of an AUDIT_ARCH_ value, -1: unknown. */
static int ocirt__seccomp_arch_row(uint64_t audit) {
    for (int i = 0; i < OCIRT__SECCOMP_ARCHS; i++)
        if (ocirt__names_seccomp_archs[i].value == audit) return i;
    return -1;
}

/* What the kernel reports for a row: x32 is told by the number. */
static uint32_t ocirt__seccomp_audit(int row) {
    return (uint32_t)ocirt__names_seccomp_archs[row == OCIRT__SECCOMP_X32_ROW ? OCIRT__SECCOMP_X32_ROW - 1 : row].value;
}

static const char *ocirt__seccomp_call_name(unsigned call) {
    return (const char *)&ocirt__seccomp_texts + ocirt__seccomp_calls[call].name;
}

/* OCIRT__CALLS: unknown. */
static unsigned ocirt__seccomp_call_find(const char *name) {
    unsigned low = 0, high = OCIRT__CALLS;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        int order = strcmp(name, ocirt__seccomp_call_name(middle));
        if (order == 0) return middle;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return OCIRT__CALLS;
}

static void ocirt__seccomp_follow(const struct ocirt__seccomp_run *run, const uint16_t *base, const uint16_t *order, uint16_t *numbers) {
    unsigned first = base[run->call], left = run->count;
    if (first == OCIRT__SECCOMP_NONE) numbers[run->call] = (uint16_t)run->number;
    else
        for (unsigned n = first; left > 0 && n < OCIRT__SECCOMP_SLOTS; n++)
            if (order[n] != OCIRT__SECCOMP_NONE) numbers[order[n]] = (uint16_t)(run->number + n - first), left--;
}

/* The number of each call on a port, without its offset; OCIRT__SECCOMP_NONE where it has none. */
static void ocirt__seccomp_numbers(unsigned port, uint16_t *numbers) {
    const struct ocirt__seccomp_port *p = &ocirt__seccomp_ports[port];
    uint16_t base[OCIRT__CALLS], order[OCIRT__SECCOMP_SLOTS];
    if (!p->runs) {
        for (unsigned i = 0; i < OCIRT__CALLS; i++) numbers[i] = ocirt__seccomp_calls[i].number[p->like];
        return;
    }
    ocirt__seccomp_numbers(p->like, base);
    memset(numbers, 0xff, OCIRT__CALLS * sizeof *numbers);
    memset(order, 0xff, sizeof order);
    for (unsigned i = 0; i < OCIRT__CALLS; i++)
        if (base[i] < OCIRT__SECCOMP_SLOTS) order[base[i]] = (uint16_t)i;
    for (unsigned i = 0; i < p->count; i++) ocirt__seccomp_follow(&p->runs[i], base, order, numbers);
}

/* As the kernel counts, from a place in the table of a port. */
static uint32_t ocirt__seccomp_real(unsigned port, unsigned slot) {
    if (port == OCIRT__PORT_ARM && slot > OCIRT__SECCOMP_PRIVATE) return OCIRT__SECCOMP_ARM + slot - OCIRT__SECCOMP_PRIVATE;
    return ocirt__seccomp_ports[port].first + slot;
}

/* socketcall(2) and ipc(2): which of their calls this is, 0: none. */
static unsigned ocirt__seccomp_muxed(unsigned call, unsigned *out_through) {
    static const struct {
        uint16_t call;
        uint8_t  number;
    } calls[] = {{OCIRT__CALL_socket, 1}, {OCIRT__CALL_bind, 2}, {OCIRT__CALL_connect, 3}, {OCIRT__CALL_listen, 4}, {OCIRT__CALL_accept, 5},
        {OCIRT__CALL_getsockname, 6}, {OCIRT__CALL_getpeername, 7}, {OCIRT__CALL_socketpair, 8}, {OCIRT__CALL_send, 9}, {OCIRT__CALL_recv, 10},
        {OCIRT__CALL_sendto, 11}, {OCIRT__CALL_recvfrom, 12}, {OCIRT__CALL_shutdown, 13}, {OCIRT__CALL_setsockopt, 14},
        {OCIRT__CALL_getsockopt, 15}, {OCIRT__CALL_sendmsg, 16}, {OCIRT__CALL_recvmsg, 17}, {OCIRT__CALL_accept4, 18},
        {OCIRT__CALL_recvmmsg, 19}, {OCIRT__CALL_sendmmsg, 20}, {OCIRT__CALL_semop, 1}, {OCIRT__CALL_semget, 2}, {OCIRT__CALL_semctl, 3},
        {OCIRT__CALL_semtimedop, 4}, {OCIRT__CALL_msgsnd, 11}, {OCIRT__CALL_msgrcv, 12}, {OCIRT__CALL_msgget, 13}, {OCIRT__CALL_msgctl, 14},
        {OCIRT__CALL_shmat, 21}, {OCIRT__CALL_shmdt, 22}, {OCIRT__CALL_shmget, 23}, {OCIRT__CALL_shmctl, 24}};
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].call != call) continue;
        *out_through = i < 20 ? OCIRT__CALL_socketcall : OCIRT__CALL_ipc;
        return calls[i].number;
    }
    return 0;
}

/* ----- rules ----- */

#define OCIRT__SECCOMP_KILL   0u
#define OCIRT__SECCOMP_ERRNO  0x00050000u
#define OCIRT__SECCOMP_NOTIFY 0x7fc00000u
#define OCIRT__SECCOMP_TRACE  0x7ff00000u
#define OCIRT__SECCOMP_LOG    0x7ffc0000u
#define OCIRT__SECCOMP_ALLOW  0x7fff0000u
enum { OCIRT__CMP_NE = 1, OCIRT__CMP_LT, OCIRT__CMP_LE, OCIRT__CMP_EQ, OCIRT__CMP_GE, OCIRT__CMP_GT, OCIRT__CMP_MASKED };

struct ocirt__seccomp_insn { /* struct sock_filter */
    uint16_t code;
    uint8_t  yes, no; /* instructions to skip */
    uint32_t k;
};

struct ocirt__seccomp_filter {
    struct ocirt__seccomp_insn *program;
    uint32_t count, flags; /* of seccomp(2) */
    bool     listener;     /* a call can be answered by NOTIFY: loading gives a descriptor */
    bool     provable;     /* prctl(PR_GET_SECCOMP) may be asked under it */
    struct ocirt__seccomp_tree {
        uint32_t start; /* of an architecture's part */
        uint8_t  row;   /* of ocirt__seccomp_archs */
    } trees[3];
    uint32_t trees_count;
};

struct ocirt__seccomp_test {
    uint32_t index, op;
    uint64_t mask, value;
};

struct ocirt__seccomp_rule { /* all tests hold: the action */
    struct ocirt__seccomp_rule *next;
    struct ocirt__seccomp_test *tests;
    uint32_t count, action;
};

struct ocirt__seccomp_interval { /* of numbers, up to the next one's start: the action, or the rules and else the action */
    uint32_t start, action;
    const struct ocirt__seccomp_rule *rules;
};

enum { OCIRT__SECCOMP_MAX = 4096, OCIRT__SECCOMP_INTERVALS = 4 * OCIRT__CALLS + 16, OCIRT__SECCOMP_REUSE = 16 };

struct ocirt__seccomp_maker {
    ocirt_arena         *arena;
    const ocirt_json    *doc;
    const ocirt_seccomp *of;
    ocirt_error         *error;
    uint32_t             action; /* default */
    bool                 stub;   /* newer calls are ENOSYS */
    uint16_t            *calls;  /* of each name, in the order of the config */
    unsigned             port, max, rules;
    struct ocirt__seccomp_rule    **slots; /* of the port at hand; the last to be tried first */
    struct ocirt__seccomp_interval *intervals;
    size_t                          intervals_count;
    uint16_t                       *groups; /* where each leaf of the search begins */
    struct ocirt__seccomp_insn     *end;   /* the program is written from its end: jumps only go forward */
    uint32_t                        count;
    bool                            full, notifies;
    struct {
        uint32_t action, label;
    } answers[OCIRT__SECCOMP_REUSE]; /* where a return with that action is */
    struct ocirt__seccomp_tree trees[3];
    uint32_t trees_count;
};

static int ocirt__seccomp_fail(const struct ocirt__seccomp_maker *m, int code, uint32_t token, const char *member, const char *text) {
    ocirt__error_set(m->error, code, 0, "", "linux.seccomp: %s", text);
    if (!m->doc || !token) return -code;
    return ocirt__error_place(m->error, m->doc, member && ocirt__json_member(m->doc, token, member) ? ocirt__json_member(m->doc, token, member) : token), -code;
}

/* What the kernel is given for an action: its data in the low half. */
static int ocirt__seccomp_action(const struct ocirt__seccomp_maker *m, uint32_t action, const ocirt_opt_uint *data, uint32_t token, const char *member, uint32_t *out) {
    bool takes = action == OCIRT__SECCOMP_ERRNO || action == OCIRT__SECCOMP_TRACE;
    if (data->set && !takes) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, token, member, "this action has no errno");
    /* The kernel cuts to 16 bits, and 65536 would mean success. */
    if (data->set && data->value > 0xffff) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, token, member, "an errno is at most 65535");
    *out = !takes ? action : action | (data->set ? (uint32_t)data->value : EPERM);
    return 0;
}

/* By libseccomp's order of tests on one level. Negative: `a` is tried before `b`; 0: the same test; 1: later, or as they come. */
static int ocirt__seccomp_test_order(const struct ocirt__seccomp_test *a, const struct ocirt__seccomp_test *b) {
    static const uint8_t ranks[] = {0, 3, 2, 2, 3, 1, 1, 3};
    uint32_t x = a->index * 2 + (a->mask >> 32 != 0), y = b->index * 2 + (b->mask >> 32 != 0);
    bool     less = a->op == OCIRT__CMP_LT || a->op == OCIRT__CMP_LE;
    if (x != y) return x > y ? -1 : 1;
    if (ranks[a->op] != ranks[b->op]) return ranks[a->op] > ranks[b->op] ? -1 : 1;
    if ((a->value ^ b->value) >> 32) return (a->value > b->value) != less ? -1 : 1;
    if (a->mask >> 32 && ((a->op == OCIRT__CMP_MASKED) != (b->op == OCIRT__CMP_MASKED) || (a->mask ^ b->mask) >> 32)) return 1;
    if (a->value != b->value) return (a->value > b->value) != less ? -1 : 1;
    return a->op != b->op || a->mask != b->mask;
}

static int ocirt__seccomp_order(const struct ocirt__seccomp_rule *a, const struct ocirt__seccomp_rule *b) {
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        int order = ocirt__seccomp_test_order(&a->tests[i], &b->tests[i]);
        if (order) return order;
    }
    return a->count < b->count ? -1 : a->count > b->count;
}

/* One more rule of a number, at its place. Entries that only differ in what cannot be seen (behind a pointer) are
   no contradiction: the first counts. */
static int ocirt__seccomp_add(struct ocirt__seccomp_maker *m, unsigned slot, struct ocirt__seccomp_test *tests, uint32_t count, const ocirt_syscall *s, uint32_t action, bool blind) {
    struct ocirt__seccomp_rule **at = &m->slots[slot], *rule, new = {.tests = tests, .count = count, .action = action};
    if (*at && (*at)->count == 0) return 0;
    if (count == 0) *at = NULL;
    for (struct ocirt__seccomp_rule *other = *at; other; other = other->next) { /* before the first that it precedes; the list is last first */
        int order = ocirt__seccomp_order(&new, other);
        if (order == 0 && other->action != action && !blind)
            return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, "action", "another entry has a different action for the same call under the same conditions");
        if (order == 0) return 0;
        if (order < 0) at = &other->next;
    }
    rule = ++m->rules > OCIRT__SECCOMP_MAX ? NULL : ocirt__mem_take(m->arena, sizeof *rule);
    if (!rule && m->rules > OCIRT__SECCOMP_MAX) return ocirt__seccomp_fail(m, OCIRT_E_LIMIT, m->of->token, "syscalls", "too many conditions for one filter");
    if (!rule) return ocirt__error_set(m->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    new.next = *at;
    *rule = new;
    *at = rule;
    return 0;
}

/* As libseccomp reads an argument: half of it on 32-bit ports, and of MASKED_EQ only bits that the mask has. False:
   nothing is asked. */
static bool ocirt__seccomp_test_of(const struct ocirt__seccomp_maker *m, const ocirt_seccomp_arg *a, struct ocirt__seccomp_test *out) {
    uint64_t seen = ocirt__seccomp_ports[m->port].wide ? UINT64_MAX : UINT32_MAX;
    bool     masked = a->op == OCIRT__CMP_MASKED;
    out->index = a->index, out->op = a->op;
    out->mask  = masked ? a->value & seen : seen;
    out->value = (masked ? a->value_two : a->value) & out->mask;
    return out->mask != 0;
}

static bool ocirt__seccomp_repeats(const ocirt_syscall *s) {
    unsigned seen = 0;
    for (size_t i = 0; i < s->args_count; i++) {
        if (seen >> s->args[i].index & 1) return true;
        seen |= 1u << s->args[i].index;
    }
    return false;
}

/* Arguments from..to as one rule, ordered by index. `through`: the number of a muxed call, which takes the place of
   argument 0. */
static int ocirt__seccomp_entry_rule(struct ocirt__seccomp_maker *m, const ocirt_syscall *s, size_t from, size_t to, unsigned slot, unsigned through, uint32_t action) {
    struct ocirt__seccomp_test *tests = NULL;
    uint32_t count = 0;
    if (to > from || through) {
        tests = ocirt__mem_array(m->arena, 7, sizeof *tests);
        if (!tests) return ocirt__error_set(m->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    }
    if (through) ocirt__seccomp_test_of(m, &(ocirt_seccomp_arg){.op = OCIRT__CMP_EQ, .value = through}, &tests[count++]);
    for (uint32_t index = through > 0; index < 6; index++)
        for (size_t i = from; i < to; i++)
            if (s->args[i].index == index) count += ocirt__seccomp_test_of(m, &s->args[i], &tests[count]);
    return ocirt__seccomp_add(m, slot, tests, count, s, action, through > 0);
}

static int ocirt__seccomp_entry_call(struct ocirt__seccomp_maker *m, const ocirt_syscall *s, unsigned slot, unsigned through, uint32_t action) {
    int r = 0;
    if (s->args_count < 2 || !ocirt__seccomp_repeats(s)) return ocirt__seccomp_entry_rule(m, s, 0, s->args_count, slot, through, action);
    for (size_t i = 0; r == 0 && i < s->args_count; i++) r = ocirt__seccomp_entry_rule(m, s, i, i + 1, slot, through, action);
    return r;
}

static int ocirt__seccomp_entry(struct ocirt__seccomp_maker *m, const ocirt_syscall *s, const uint16_t *calls, const uint16_t *numbers) {
    uint32_t action = 0;
    bool     muxed = ocirt__seccomp_ports[m->port].muxed;
    int r = ocirt__seccomp_action(m, s->action, &s->errno_ret, s->token, "errnoRet", &action);
    for (size_t i = 0; r == 0 && i < s->names.count; i++) {
        unsigned slot = calls[i] < OCIRT__CALLS ? numbers[calls[i]] : OCIRT__SECCOMP_NONE, through = 0, number;
        if (slot < OCIRT__SECCOMP_PRIVATE && slot + 1 > m->max) m->max = slot + 1;
        if (action == m->action || calls[i] >= OCIRT__CALLS) continue;
        if (slot != OCIRT__SECCOMP_NONE) r = ocirt__seccomp_entry_call(m, s, slot, 0, action);
        number = r == 0 && muxed ? ocirt__seccomp_muxed(calls[i], &through) : 0;
        if (number) r = ocirt__seccomp_entry_call(m, s, numbers[through], number, action);
    }
    return r;
}

/* All rules of a port into its slots. */
static int ocirt__seccomp_entries(struct ocirt__seccomp_maker *m) {
    uint16_t numbers[OCIRT__CALLS];
    const uint16_t *calls = m->calls;
    int r = 0;
    ocirt__seccomp_numbers(m->port, numbers);
    memset(m->slots, 0, OCIRT__SECCOMP_SLOTS * sizeof *m->slots);
    m->max = 0;
    for (size_t i = 0; r == 0 && i < m->of->syscalls_count; calls += m->of->syscalls[i++].names.count)
        r = ocirt__seccomp_entry(m, &m->of->syscalls[i], calls, numbers);
    return r;
}

/* ----- intervals ----- */

static void ocirt__seccomp_from(struct ocirt__seccomp_maker *m, uint32_t start, uint32_t action, const struct ocirt__seccomp_rule *rules) {
    struct ocirt__seccomp_interval *last = m->intervals_count ? &m->intervals[m->intervals_count - 1] : NULL;
    if (rules && rules->count == 0) action = rules->action, rules = NULL;
    if (last && last->start == start) m->intervals_count--, last = m->intervals_count ? last - 1 : NULL;
    if (last && last->action == action && !last->rules && !rules) return;
    m->intervals[m->intervals_count++] = (struct ocirt__seccomp_interval){start, action, rules};
}

/* The numbers of a port, from its first on. */
static int ocirt__seccomp_intervals(struct ocirt__seccomp_maker *m) {
    bool     s390 = m->port == OCIRT__PORT_S390 || m->port == OCIRT__PORT_S390X;
    uint32_t newer; /* what calls that are newer than the profile meet */
    int r = ocirt__seccomp_entries(m);
    if (r < 0) return r;
    newer = m->stub && m->max ? OCIRT__SECCOMP_ERRNO | ENOSYS : m->action;
    for (unsigned slot = 0; slot < OCIRT__SECCOMP_SLOTS; slot++) {
        uint32_t number = ocirt__seccomp_real(m->port, slot);
        /* On s390 a number that came in a register and that the kernel does not know is reported as 0. */
        bool     unknown = (slot >= m->max && !m->slots[slot]) || (s390 && slot == 0 && newer != m->action);
        if (!m->slots[slot] && slot && slot != m->max) continue;
        ocirt__seccomp_from(m, number, unknown ? newer : m->action, unknown && slot == 0 ? NULL : m->slots[slot]);
        ocirt__seccomp_from(m, number + 1, slot + 1 < m->max ? m->action : newer, NULL);
    }
    return 0;
}

/* x86-64 and x32 share an architecture. Number -1 is what a tracer leaves behind of a call it answered itself. */
static int ocirt__seccomp_arch_intervals(struct ocirt__seccomp_maker *m, int row, bool x32) {
    int r;
    m->intervals_count = 0;
    m->port = ocirt__seccomp_archs[row].port;
    if (ocirt__seccomp_ports[m->port].first) ocirt__seccomp_from(m, 0, m->action, NULL);
    r = ocirt__seccomp_intervals(m);
    if (r < 0 || m->port != OCIRT__PORT_X86_64) return r;
    if (x32) return m->port = OCIRT__PORT_X32, ocirt__seccomp_intervals(m);
    ocirt__seccomp_from(m, OCIRT__SECCOMP_X32, OCIRT__SECCOMP_KILL, NULL);
    ocirt__seccomp_from(m, UINT32_MAX, m->action, NULL);
    return 0;
}

/* ----- the program, written from its end, since jumps only go forward -----
   A label is how many instructions there were when it was written, or a return that is not written yet. */

enum { OCIRT__BPF_LOAD = 0x20, OCIRT__BPF_AND = 0x54, OCIRT__BPF_JUMP = 0x05, OCIRT__BPF_EQ = 0x15, OCIRT__BPF_GT = 0x25, OCIRT__BPF_GE = 0x35, OCIRT__BPF_RETURN = 0x06 };

#define OCIRT__SECCOMP_ANSWER(action) (1ull << 32 | (action))

static uint64_t ocirt__seccomp_put(struct ocirt__seccomp_maker *m, unsigned code, uint32_t k, uint64_t yes, uint64_t no) {
    if (m->count == OCIRT__SECCOMP_MAX) m->full = true;
    if (m->full) return m->count;
    m->count++;
    m->end[-(ptrdiff_t)m->count] = (struct ocirt__seccomp_insn){(uint16_t)code, (uint8_t)yes, (uint8_t)no, k};
    return m->count;
}

static uint64_t ocirt__seccomp_return(struct ocirt__seccomp_maker *m, uint32_t action, uint32_t reach) {
    uint32_t i = 0;
    while (i < OCIRT__SECCOMP_REUSE - 1 && m->answers[i].label && m->answers[i].action != action) i++;
    if (m->answers[i].label && m->answers[i].action == action && m->count - m->answers[i].label < reach) return m->answers[i].label;
    if (action == OCIRT__SECCOMP_NOTIFY) m->notifies = true;
    m->answers[i].action = action, m->answers[i].label = (uint32_t)ocirt__seccomp_put(m, OCIRT__BPF_RETURN, action, 0, 0);
    return m->answers[i].label;
}

/* The eight bits of a conditional jump reach 255 instructions, one of which the other branch may need. */
static uint64_t ocirt__seccomp_near(struct ocirt__seccomp_maker *m, uint64_t label) {
    if (label >> 32) return ocirt__seccomp_return(m, (uint32_t)label, 255);
    return m->count - label < 255 ? label : ocirt__seccomp_put(m, OCIRT__BPF_JUMP, m->count - (uint32_t)label, 0, 0);
}

static uint64_t ocirt__seccomp_branch(struct ocirt__seccomp_maker *m, unsigned code, uint32_t k, uint64_t yes, uint64_t no) {
    if (yes == no) return yes;
    no  = ocirt__seccomp_near(m, no);
    yes = ocirt__seccomp_near(m, yes);
    return ocirt__seccomp_put(m, code, k, m->count - yes, m->count - no);
}

/* What is written next falls through to this label. */
static void ocirt__seccomp_here(struct ocirt__seccomp_maker *m, uint64_t label) {
    if (label >> 32) ocirt__seccomp_return(m, (uint32_t)label, 0);
    else if (label != m->count) ocirt__seccomp_put(m, OCIRT__BPF_JUMP, m->count - (uint32_t)label, 0, 0);
}

static uint64_t ocirt__seccomp_load_half(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_test *t, bool high, bool little) {
    uint32_t mask = (uint32_t)(high ? t->mask >> 32 : t->mask);
    if (mask != UINT32_MAX) ocirt__seccomp_put(m, OCIRT__BPF_AND, mask, 0, 0);
    return ocirt__seccomp_put(m, OCIRT__BPF_LOAD, 16 + 8 * t->index + (high == little ? 4 : 0), 0, 0);
}

/* One condition. The halves of 64 bits are compared one after the other, the high one first. */
static uint64_t ocirt__seccomp_condition(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_test *t, bool little, uint64_t yes, uint64_t no) {
    bool     inverse = t->op == OCIRT__CMP_NE || t->op == OCIRT__CMP_LT || t->op == OCIRT__CMP_LE;
    bool     equal = t->op == OCIRT__CMP_EQ || t->op == OCIRT__CMP_NE || t->op == OCIRT__CMP_MASKED;
    unsigned code = equal ? OCIRT__BPF_EQ : t->op == OCIRT__CMP_GE || t->op == OCIRT__CMP_LT ? OCIRT__BPF_GE : OCIRT__BPF_GT;
    uint64_t holds = inverse ? no : yes, fails = inverse ? yes : no, at = holds;
    if (t->mask & UINT32_MAX) {
        ocirt__seccomp_branch(m, code, (uint32_t)t->value, holds, fails);
        at = ocirt__seccomp_load_half(m, t, false, little);
    }
    if (t->mask >> 32 == 0) return at;
    at = ocirt__seccomp_branch(m, OCIRT__BPF_EQ, (uint32_t)(t->value >> 32), at, fails);
    if (!equal) ocirt__seccomp_branch(m, OCIRT__BPF_GT, (uint32_t)(t->value >> 32), holds, at);
    return ocirt__seccomp_load_half(m, t, true, little);
}

static uint64_t ocirt__seccomp_rule(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_rule *rule, bool little, uint64_t next) {
    uint64_t at = OCIRT__SECCOMP_ANSWER(rule->action);
    if (at == next) return next;
    for (uint32_t t = rule->count; t-- > 0;) at = ocirt__seccomp_condition(m, &rule->tests[t], little, at, next);
    return at;
}

static uint64_t ocirt__seccomp_leaf(struct ocirt__seccomp_maker *m, const struct ocirt__seccomp_interval *i, bool little) {
    uint64_t next = OCIRT__SECCOMP_ANSWER(i->action);
    for (const struct ocirt__seccomp_rule *rule = i->rules; rule; rule = rule->next) next = ocirt__seccomp_rule(m, rule, little, next);
    return next;
}

/* Intervals from `i` on that are one leaf of the search: one; or, when all but single numbers between are alike, three
   or five, since a single number takes one comparison and not two. What loading costs is counted in instructions. */
static size_t ocirt__seccomp_group(const struct ocirt__seccomp_maker *m, size_t at) {
    const struct ocirt__seccomp_interval *i = &m->intervals[at];
    size_t n = 1;
    while (n < 5 && at + n + 1 < m->intervals_count && !i->rules && !i[n + 1].rules && i[n + 1].action == i->action && i[n].start + 1 == i[n + 1].start) n += 2;
    return n;
}

static uint64_t ocirt__seccomp_group_leaf(struct ocirt__seccomp_maker *m, size_t at, size_t end, bool little) {
    const struct ocirt__seccomp_interval *i = m->intervals;
    uint64_t label = ocirt__seccomp_leaf(m, &i[at], little);
    for (at++; at < end; at += 2) label = ocirt__seccomp_branch(m, OCIRT__BPF_EQ, i[at].start, ocirt__seccomp_leaf(m, &i[at], little), label);
    return label;
}

/* Binary search over groups; as deep as the logarithm. */
static uint64_t ocirt__seccomp_tree(struct ocirt__seccomp_maker *m, size_t low, size_t high, bool little) {
    size_t   middle = (low + high) / 2;
    uint64_t less, more;
    if (high - low == 1) return ocirt__seccomp_group_leaf(m, m->groups[low], m->groups[high], little);
    more = ocirt__seccomp_tree(m, middle, high, little);
    less = ocirt__seccomp_tree(m, low, middle, little);
    return ocirt__seccomp_branch(m, OCIRT__BPF_GE, m->intervals[m->groups[middle]].start, more, less);
}

static uint64_t ocirt__seccomp_search(struct ocirt__seccomp_maker *m, bool little) {
    size_t count = 0, at = 0;
    for (; at < m->intervals_count; at += ocirt__seccomp_group(m, at)) m->groups[count++] = (uint16_t)at;
    m->groups[count] = (uint16_t)at;
    return ocirt__seccomp_tree(m, 0, count, little);
}

static bool ocirt__seccomp_lists(const struct ocirt__seccomp_maker *m, int row) {
    for (size_t i = 0; i < m->of->architectures.count; i++)
        if (strcmp(m->of->architectures.items[i], ocirt__names_seccomp_archs[row].name) == 0) return true;
    return false;
}

static int ocirt__seccomp_check(const struct ocirt__seccomp_maker *m) {
    const ocirt_seccomp *s = m->of;
    bool notify = false;
    for (size_t i = 0; i < s->architectures.count; i++)
        if (!ocirt__name_find(ocirt__names_seccomp_archs, s->architectures.items[i])) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, "architectures", "unknown architecture");
    if (s->default_action == OCIRT__SECCOMP_NOTIFY) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, "defaultAction", "SCMP_ACT_NOTIFY cannot be the default: starting the program would wait for an answer");
    for (size_t i = 0; i < s->syscalls_count; i++) {
        notify |= s->syscalls[i].action == OCIRT__SECCOMP_NOTIFY;
        for (size_t j = 0; j < s->syscalls[i].args_count; j++)
            if (s->syscalls[i].args[j].index > 5 || s->syscalls[i].args[j].op - 1 > 6) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->syscalls[i].token, "args", "no such argument or operator");
    }
    if (notify && (!s->listener_path || !s->listener_path[0])) return ocirt__seccomp_fail(m, OCIRT_E_SPEC, s->token, NULL, "SCMP_ACT_NOTIFY needs listenerPath");
    return 0;
}

static int ocirt__seccomp_prepare(struct ocirt__seccomp_maker *m) {
    struct ocirt__seccomp_insn *program = ocirt__mem_take(m->arena, OCIRT__SECCOMP_MAX * sizeof *program);
    size_t count = 0, n = 0;
    for (size_t i = 0; i < m->of->syscalls_count; i++) count += m->of->syscalls[i].names.count;
    m->calls     = ocirt__mem_take(m->arena, count * sizeof *m->calls + 1);
    m->slots     = ocirt__mem_take(m->arena, OCIRT__SECCOMP_SLOTS * sizeof *m->slots);
    m->intervals = ocirt__mem_take(m->arena, OCIRT__SECCOMP_INTERVALS * sizeof *m->intervals);
    m->groups    = ocirt__mem_take(m->arena, OCIRT__SECCOMP_INTERVALS * sizeof *m->groups);
    if (!program || !m->calls || !m->slots || !m->intervals || !m->groups) return ocirt__error_set(m->error, OCIRT_E_MEMORY, 0, "", "out of memory");
    m->end = program + OCIRT__SECCOMP_MAX;
    for (size_t i = 0; i < m->of->syscalls_count; i++)
        for (size_t j = 0; j < m->of->syscalls[i].names.count; j++) m->calls[n++] = (uint16_t)ocirt__seccomp_call_find(m->of->syscalls[i].names.items[j]);
    return 0;
}

/* The tree of one architecture before what there is already. */
static int ocirt__seccomp_arch_tree(struct ocirt__seccomp_maker *m, int row, bool x32, uint64_t *else_) {
    uint32_t audit = ocirt__seccomp_audit(row);
    uint64_t at;
    int r = ocirt__seccomp_arch_intervals(m, row, x32);
    if (r < 0) return r;
    ocirt__seccomp_here(m, ocirt__seccomp_search(m, audit >> 30 & 1));
    at     = ocirt__seccomp_put(m, OCIRT__BPF_LOAD, 0, 0, 0);
    m->trees[m->trees_count].row = (uint8_t)row, m->trees[m->trees_count++].start = (uint32_t)at;
    *else_ = ocirt__seccomp_branch(m, OCIRT__BPF_EQ, audit, at, *else_);
    return 0;
}

static uint32_t ocirt__seccomp_flags(const ocirt_seccomp *s, bool listener) {
    uint32_t flags = s->flags.set ? (uint32_t)s->flags.value : 4 /* SPEC_ALLOW, as runc and crun */;
    if (!listener) return flags & ~0x20u /* WAIT_KILLABLE_RECV */;
    return flags | 8 /* NEW_LISTENER */ | (flags & 1 ? 0x10 /* TSYNC_ESRCH */ : 0);
}

/* What the program answers, or UINT32_MAX - 1 if it is none. `out_steps`, if given: instructions on the way. */
static uint32_t ocirt__seccomp_eval(const struct ocirt__seccomp_insn *program, uint32_t count, uint32_t arch, uint32_t number, const uint64_t args[6], uint32_t *out_steps) {
    uint32_t a = 0, steps = 0;
    for (uint32_t at = 0; at < count; at++) {
        const struct ocirt__seccomp_insn *i = &program[at];
        uint64_t wide = i->k >= 16 && i->k < 64 && i->code == OCIRT__BPF_LOAD ? args[i->k / 8 - 2] : 0;
        bool     high = ((i->k & 4) != 0) == (arch >> 30 & 1), yes;
        if (out_steps) *out_steps = ++steps;
        switch (i->code) {
        case OCIRT__BPF_LOAD: a = i->k == 0 ? number : i->k == 4 ? arch : (uint32_t)(high ? wide >> 32 : wide); continue;
        case OCIRT__BPF_AND: a &= i->k; continue;
        case OCIRT__BPF_JUMP: at += i->k; continue;
        case OCIRT__BPF_EQ: yes = a == i->k; break;
        case OCIRT__BPF_GT: yes = a > i->k; break;
        case OCIRT__BPF_GE: yes = a >= i->k; break;
        case OCIRT__BPF_RETURN: return i->k;
        default: return UINT32_MAX - 1;
        }
        at += yes ? i->yes : i->no;
    }
    return UINT32_MAX - 1;
}

/* May the process that loads the filter ask under it whether it is there? Only if that call is answered at once, and
   differently from how a process without a filter hears it. */
static bool ocirt__seccomp_provable(const struct ocirt__seccomp_filter *f, uint32_t native) {
    static const uint64_t args[6] = {PR_GET_SECCOMP, 0, 0, 0, 0, 0};
    uint32_t action = ocirt__seccomp_eval(f->program, f->count, native, SYS_prctl, args, NULL);
    if (native != ocirt__seccomp_native()) return false;
    return action == OCIRT__SECCOMP_ALLOW || action == OCIRT__SECCOMP_LOG || (action >> 16 == OCIRT__SECCOMP_ERRNO >> 16 && (action & 0xffff));
}

/* `native` is an AUDIT_ARCH_. The program lies in the arena. Fails with OCIRT_E_SPEC, _LIMIT, _UNSUPPORTED, _MEMORY. */
static int ocirt__seccomp_compile(ocirt_arena *arena, const ocirt_json *doc, const ocirt_seccomp *s, uint32_t native, struct ocirt__seccomp_filter *out, ocirt_error *error) {
    struct ocirt__seccomp_maker m = {.arena = arena, .doc = doc, .of = s, .error = error};
    int own = ocirt__seccomp_arch_row(native), r = ocirt__seccomp_check(&m);
    uint64_t else_ = OCIRT__SECCOMP_ANSWER(OCIRT__SECCOMP_KILL);
    bool x32;
    if (r == 0 && own < 0) r = ocirt__seccomp_fail(&m, OCIRT_E_UNSUPPORTED, s->token, NULL, "this version has no table of calls for this machine");
    if (r == 0) r = ocirt__seccomp_action(&m, s->default_action, &s->default_errno_ret, s->token, "defaultErrnoRet", &m.action);
    if (r == 0) r = ocirt__seccomp_prepare(&m);
    if (r < 0) return r;
    m.stub = s->default_action != OCIRT__SECCOMP_ALLOW && s->default_action != OCIRT__SECCOMP_LOG && s->default_action != OCIRT__SECCOMP_TRACE;
    x32    = ocirt__seccomp_lists(&m, OCIRT__SECCOMP_X32_ROW);
    for (int row = 0; r == 0 && row < OCIRT__SECCOMP_ARCHS; row++) {
        bool mine = row != own && row != OCIRT__SECCOMP_X32_ROW && ocirt__seccomp_archs[row].family == ocirt__seccomp_archs[own].family;
        if (mine && ocirt__seccomp_lists(&m, row)) r = ocirt__seccomp_arch_tree(&m, row, x32, &else_);
    }
    if (r == 0) r = ocirt__seccomp_arch_tree(&m, own, x32, &else_); /* last written: first asked */
    if (r < 0) return r;
    ocirt__seccomp_here(&m, else_);
    ocirt__seccomp_put(&m, OCIRT__BPF_LOAD, 4, 0, 0);
    if (m.full) return ocirt__seccomp_fail(&m, OCIRT_E_LIMIT, s->token, "syscalls", "the profile needs more than the 4096 instructions that the kernel takes");
    *out = (struct ocirt__seccomp_filter){.program = m.end - m.count, .count = m.count, .flags = ocirt__seccomp_flags(s, m.notifies), .listener = m.notifies};
    for (uint32_t i = m.trees_count; i-- > 0; out->trees_count++)
        out->trees[out->trees_count] = (struct ocirt__seccomp_tree){m.count - m.trees[i].start, m.trees[i].row};
    out->provable = ocirt__seccomp_provable(out, native);
    return 0;
}

/* ----- loading: no allocation, no stdio ----- */

/* Returns the listener's descriptor, 0, or a negative errno. After it the profile holds for all that the caller does. */
static int ocirt__seccomp_load(const struct ocirt__seccomp_insn *program, uint32_t count, uint32_t flags, bool provable) {
    struct {
        unsigned short length;
        const struct ocirt__seccomp_insn *filter;
    } of = {(unsigned short)count, program};
    int r = (int)OCIRT__SYS3(SYS_seccomp, 1 /* SET_MODE_FILTER */, flags, &of);
    if (r < 0) return r;
    if (r > 0 && !(flags & 8)) return -ESRCH; /* TSYNC: the thread that could not follow */
    /* Told that it worked, a process without a filter hears 0; under one 2, or the errno that the filter answers. */
    if (provable && ocirt__sys_prctl(PR_GET_SECCOMP, 0, 0, 0) == 0) return -EIO;
    return r;
}

/* ----- the listener: container process state (runtime-spec config-linux.md) ----- */

/* `state` is the container's state as JSON. */
static void ocirt__seccomp_state(ocirt__buffer *b, int pid, const char *metadata, const char *state) {
    ocirt__buffer_format(b, "{\"ociVersion\":\"" OCIRT_SPEC_VERSION "\",\"fds\":[\"seccompFd\"],\"pid\":%d,", pid);
    if (metadata && metadata[0]) {
        ocirt__buffer_text(b, "\"metadata\":");
        ocirt__json_write_string(b, metadata);
        ocirt__buffer_text(b, ",");
    }
    ocirt__buffer_text(b, "\"state\":");
    ocirt__buffer_text(b, state);
    ocirt__buffer_text(b, "}");
}

static long ocirt__seccomp_send_some(int socket, int fd, const char *text, size_t size) {
    struct iovec data = {(void *)(uintptr_t)text, size};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control, message.msg_controllen = sizeof control.room;
        control.header.cmsg_len = CMSG_LEN(sizeof fd), control.header.cmsg_level = SOL_SOCKET, control.header.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    return OCIRT__SYS3(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);
}

/* Connects, sends the text with the descriptor at its first byte, and closes. Waits for at most ten seconds at each
   step. */
static int ocirt__seccomp_send(const char *path, int fd, const char *text, size_t size) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct timeval limit = {10, 0};
    int  socket, r;
    if (strlen(path) >= sizeof name.sun_path) return -ENAMETOOLONG;
    memcpy(name.sun_path, path, strlen(path) + 1);
    socket = (int)OCIRT__SYS3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return socket;
    r = (int)OCIRT__SYS5(SYS_setsockopt, socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (r == 0) r = (int)OCIRT__SYS3(SYS_connect, socket, &name, sizeof name);
    while (r >= 0 && size > 0) {
        long n = ocirt__seccomp_send_some(socket, fd, text, size);
        if (n == -EINTR) continue;
        if (n < 0) r = (int)n;
        else text += n, size -= (size_t)n, fd = -1;
    }
    ocirt__sys_close(&socket);
    return r < 0 ? r : 0;
}

/* ----- for people ----- */

struct ocirt__seccomp_view { /* a profile compiled for an architecture that somebody asks about */
    struct ocirt__seccomp_filter filter;
    unsigned row;
};

static int ocirt__seccomp_view(ocirt_arena *arena, const ocirt_spec *spec, const char *arch, struct ocirt__seccomp_view *out, ocirt_error *error) {
    uint32_t native = ocirt__seccomp_native();
    int own = ocirt__seccomp_arch_row(native), row = own;
    if (!spec->linux_ || !spec->linux_->seccomp) return ocirt__error_set(error, OCIRT_E_NOT_FOUND, 0, "", "the config has no linux.seccomp");
    if (arch)
        for (row = OCIRT__SECCOMP_ARCHS - 1; row >= 0; row--)
            if (strcasecmp(ocirt__names_seccomp_archs[row].name + (strncasecmp(arch, "SCMP_ARCH_", 10) == 0 ? 0 : 10), arch) == 0) break;
    if (arch && row < 0) return ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, arch, "unknown architecture \"%.40s\"", arch);
    if (row >= 0 && (own < 0 || ocirt__seccomp_archs[row].family != ocirt__seccomp_archs[own].family)) native = ocirt__seccomp_audit(row);
    out->row = row < 0 ? 0 : (unsigned)row;
    return ocirt__seccomp_compile(arena, spec->document, spec->linux_->seccomp, native, &out->filter, error);
}

static const char *ocirt__seccomp_arch_name(unsigned row, char out[24]) {
    size_t n = 0;
    for (const char *s = ocirt__names_seccomp_archs[row].name + 10; *s; s++) out[n++] = (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
    out[n] = 0;
    return out;
}

static const char *ocirt__seccomp_action_text(uint32_t action, char out[64]) {
    uint32_t data = action & 0xffff;
    const char *name = ocirt__name_of(ocirt__names_seccomp_actions, action & 0xffff0000u);
    bool error = action >> 16 == OCIRT__SECCOMP_ERRNO >> 16;
    if (name[0] == 'S') name += 9; /* SCMP_ACT_ */
    if (data) snprintf(out, 64, "%s %u%s%.40s", name, data, error ? ", " : "", error ? ocirt__error_errno_text((int)data) : "");
    else snprintf(out, 64, "%s", name);
    return out;
}

/* Name of a number, "" when there is none. */
static const char *ocirt__seccomp_number_name(unsigned row, uint32_t number) {
    uint16_t numbers[OCIRT__CALLS];
    unsigned port = ocirt__seccomp_archs[row].port;
    if (port == OCIRT__PORT_X86_64 && number & OCIRT__SECCOMP_X32) port = OCIRT__PORT_X32;
    ocirt__seccomp_numbers(port, numbers);
    for (unsigned i = 0; i < OCIRT__CALLS; i++)
        if (numbers[i] != OCIRT__SECCOMP_NONE && ocirt__seccomp_real(port, numbers[i]) == number) return ocirt__seccomp_call_name(i);
    return "";
}

static void ocirt__seccomp_print_branch(ocirt__buffer *b, uint32_t at, const struct ocirt__seccomp_insn *i, int row, bool of_arch, bool of_number) {
    const char *sign = i->code == OCIRT__BPF_EQ ? "==" : i->code == OCIRT__BPF_GT ? ">" : ">=", *name = "";
    char arch[24];
    int  known = of_arch ? ocirt__seccomp_arch_row(i->k) : -1;
    if (known >= 0) name = ocirt__seccomp_arch_name((unsigned)known, arch);
    else if (of_number && row >= 0) name = ocirt__seccomp_number_name((unsigned)row, i->k);
    ocirt__buffer_format(b, of_number && i->k < OCIRT__SECCOMP_X32 ? "if %s %u" : "if %s %#x", sign, i->k);
    ocirt__buffer_format(b, "%s%s: %u, else %u", name[0] ? " " : "", name, at + 1 + i->yes, at + 1 + i->no);
}

/* `loaded`, one per instruction, zeroed: what the accumulator holds there, passed on to where it can go next. */
static void ocirt__seccomp_print_program(ocirt__buffer *b, const struct ocirt__seccomp_filter *f, uint8_t *loaded) {
    bool little = ocirt__names_seccomp_archs[f->trees[0].row].value >> 30 & 1;
    uint32_t tree = 0;
    int  row = -1;
    char text[64];
    for (uint32_t at = 0; at < f->count; at++) {
        const struct ocirt__seccomp_insn *i = &f->program[at];
        uint32_t holds = i->code == OCIRT__BPF_LOAD ? i->k : loaded[at], skip = i->code == OCIRT__BPF_JUMP ? i->k : i->yes;
        if (i->code != OCIRT__BPF_RETURN) loaded[at + 1 + skip] = loaded[at + 1 + (i->code == OCIRT__BPF_JUMP ? skip : i->no)] = (uint8_t)holds;
        if (tree < f->trees_count && at == f->trees[tree].start) row = f->trees[tree++].row;
        ocirt__buffer_format(b, "%5u  ", at);
        switch (i->code) {
        case OCIRT__BPF_LOAD:
            if (holds < 8) ocirt__buffer_text(b, holds ? "load architecture" : "load number");
            else ocirt__buffer_format(b, "load argument %u, %s half", holds / 8 - 2, ((holds & 4) != 0) == little ? "high" : "low");
            break;
        case OCIRT__BPF_AND: ocirt__buffer_format(b, "and %#x", i->k); break;
        case OCIRT__BPF_JUMP: ocirt__buffer_format(b, "go to %u", at + 1 + i->k); break;
        case OCIRT__BPF_RETURN: ocirt__buffer_format(b, "return %s", ocirt__seccomp_action_text(i->k, text)); break;
        default: ocirt__seccomp_print_branch(b, at, i, row, holds == 4, holds == 0); break;
        }
        ocirt__buffer_text(b, "\n");
    }
}

OCIRT_DEF int ocirt_seccomp_print(const ocirt_spec *spec, const char *arch, ocirt_write_fn write, void *user, ocirt_error *error) {
    ocirt_arena   arena = {0};
    ocirt__buffer b = {.arena = &arena};
    struct ocirt__seccomp_view view;
    uint8_t *loaded;
    char name[24];
    int  r = ocirt__seccomp_view(&arena, spec, arch, &view, error);
    if (r == 0) {
        ocirt__buffer_format(&b, "# %u instructions; flags %#x%s;", view.filter.count, view.filter.flags, view.filter.listener ? ", with a listener" : "");
        for (uint32_t i = 0; i < view.filter.trees_count; i++) ocirt__buffer_format(&b, " %s from %u%s", ocirt__seccomp_arch_name(view.filter.trees[i].row, name), view.filter.trees[i].start, i + 1 < view.filter.trees_count ? "," : "\n");
        loaded = ocirt__mem_alloc(&arena, view.filter.count);
        if (loaded) ocirt__seccomp_print_program(&b, &view.filter, loaded);
        r = b.failed || !loaded ? ocirt__error_set(error, OCIRT_E_MEMORY, 0, "", "out of memory") : 0;
    }
    if (r == 0 && write(user, b.data, b.size) < 0) r = ocirt__error_set(error, OCIRT_E_IO, 0, "", "the text could not be written");
    ocirt_arena_free(&arena);
    return r;
}

/* A number as it is, or a name's. False: `call` is neither. */
static bool ocirt__seccomp_call_number(unsigned row, const char *call, uint32_t *out) {
    uint16_t numbers[OCIRT__CALLS];
    unsigned port = ocirt__seccomp_archs[row].port, found = ocirt__seccomp_call_find(call);
    char *end;
    unsigned long long number = strtoull(call, &end, 0);
    *out = (uint32_t)number;
    if (*call >= '0' && *call <= '9' && !*end && number <= UINT32_MAX) return true;
    ocirt__seccomp_numbers(port, numbers);
    if (found == OCIRT__CALLS || numbers[found] == OCIRT__SECCOMP_NONE) return false;
    *out = ocirt__seccomp_real(port, numbers[found]);
    return true;
}

OCIRT_DEF int ocirt_seccomp_ask(const ocirt_spec *spec, const char *arch, const char *call, const uint64_t args[6], ocirt_seccomp_answer *out, ocirt_error *error) {
    ocirt_arena arena = {0};
    struct ocirt__seccomp_view view;
    char name[24];
    int  r = ocirt__seccomp_view(&arena, spec, arch, &view, error);
    memset(out, 0, sizeof *out);
    if (r == 0 && !ocirt__seccomp_call_number(view.row, call, &out->number))
        r = ocirt__error_set(error, OCIRT_E_ARGUMENT, 0, call, "%s has no call \"%.60s\"", ocirt__seccomp_arch_name(view.row, name), call);
    if (r == 0) out->action = ocirt__seccomp_eval(view.filter.program, view.filter.count, ocirt__seccomp_audit((int)view.row), out->number, args, &out->steps);
    if (r == 0) ocirt__seccomp_arch_name(view.row, out->arch), ocirt__seccomp_action_text(out->action, out->text);
    ocirt_arena_free(&arena);
    return r;
}
