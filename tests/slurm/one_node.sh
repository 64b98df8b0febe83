#!/usr/bin/env bash
# A one-node SLURM on this machine, for the tests in this folder: no systemd, no cgroups, no accounting database.
#
#   tests/slurm/one_node.sh start    install if needed, configure, start, wait until the node takes jobs
#   tests/slurm/one_node.sh status   say what runs; exit 0 if the node takes jobs, 3 if not
#   tests/slurm/one_node.sh stop     cancel every job, stop what `start` started, remove our configuration
#
# Every command may be repeated. A slurm.conf that this script did not write is never touched.
# SPIKELINE_SLURM_CPUS (default 2) and SPIKELINE_SLURM_MEMORY_MB (default: 90 % of the machine's) size the node.
set -euo pipefail

readonly MARK="# Written by spikeline's tests/slurm/one_node.sh"
# The default place, and no other: inside a job the executor drops SLURM_CONF, so srun would not find another one.
readonly CONF=/etc/slurm/slurm.conf
readonly RUN=/run/spikeline-slurm
readonly SPOOL=/var/spool/spikeline-slurm
readonly LOGS=/var/log/spikeline-slurm
readonly EPILOG=$RUN/epilog.sh
readonly WAIT_SECONDS=60

say() { printf 'one_node.sh: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

show_logs() {
  local log
  for log in "$LOGS"/slurmctld.log "$LOGS"/slurmd.log /var/log/munge/munged.log; do
    [[ -r $log ]] || continue
    printf -- '--- last lines of %s\n' "$log" >&2
    tail -n 15 "$log" >&2
  done
}

fail() { say "$@"; show_logs; exit 1; }

is_ours() { [[ -f $CONF ]] && head -n 1 "$CONF" | grep -qF "$MARK"; }

# The process of a pid file, if it lives and is the program it should be (a stale file may name a stranger).
living() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == "$2" ]] && printf '%s' "$pid"
}

need_root() { [[ $(id -u) -eq 0 ]] || die "$1 needs root (it writes $CONF and starts system daemons): run it with sudo"; }

refuse_foreign() {
  [[ -e $CONF ]] && ! is_ours && die "$CONF exists and is not ours: this machine seems to belong to a real cluster." \
    "Nothing was changed. Run these tests in a container, or move that file away first."
  return 0
}

install_slurm() {
  local program missing=()
  for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  command -v apt-get >/dev/null || die "missing ${missing[*]}, and there is no apt-get here:" \
    "install SLURM (controller, node daemon, client) and munge with this system's package manager, then start again"
  say "installing slurm-wlm and munge (missing: ${missing[*]})"
  mkdir -p "$LOGS"
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge; } \
    >"$LOGS/apt.log" 2>&1; then
    tail -n 15 "$LOGS/apt.log" >&2
    die "apt-get could not install slurm-wlm and munge (above; all of it in $LOGS/apt.log): is there a network or a mirror?"
  fi
}

# The smaller of the machine's memory and this container's limit, in MB.
machine_memory_mb() {
  local total limit
  total=$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    [[ -r $limit && $(cat "$limit") =~ ^[0-9]{1,18}$ ]] || continue
    limit=$(($(cat "$limit") / 1048576))
    ((limit > 0 && limit < total)) && total=$limit
  done
  printf '%s' "$total"
}

write_configuration() {
  local memory cpus=${SPIKELINE_SLURM_CPUS:-2}
  memory=${SPIKELINE_SLURM_MEMORY_MB:-$(($(machine_memory_mb) * 9 / 10))}
  ((memory >= 2000)) || die "only $memory MB for the node: the tests need at least 2000 MB"
  mkdir -p /etc/slurm "$RUN" "$SPOOL/slurmctld" "$SPOOL/slurmd" "$LOGS"
  cat >"$CONF.new" <<END
$MARK: overwritten by \`start\`, removed by \`stop\`. Edit the script, not this file.
ClusterName=spikeline
SlurmctldHost=localhost
SlurmUser=root
AuthType=auth/munge
# A job that was put back into the queue waits as long as credentials last; the default of 120 s would only make the
# tests slow.
AuthInfo=cred_expire=30
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
# Processes are found by their parents and nothing is pinned: that needs no cgroups.
ProctrackType=proctrack/linuxproc
Epilog=$EPILOG
TaskPlugin=task/none
PropagateResourceLimits=NONE
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# Without cgroups the memory limit is enforced by sampling: every 2 s, kill what holds more than it asked for.
# UsePss: pages shared by a job's processes count once, as they would in a cgroup.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=UsePss,OverMemoryKill
AccountingStorageType=accounting_storage/none
# The executor asks squeue how jobs ended, so ended jobs must stay known for a while.
MinJobAge=300
# Seconds between SIGTERM and SIGKILL; the default of 30 would only make the tests slow.
KillWait=5
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd.pid
StateSaveLocation=$SPOOL/slurmctld
SlurmdSpoolDir=$SPOOL/slurmd
SlurmctldLogFile=$LOGS/slurmctld.log
SlurmdLogFile=$LOGS/slurmd.log
# The sizes below are taken as given: the node must come up with 2 CPUs on a machine with 1 as well.
SlurmdParameters=config_overrides
NodeName=localhost NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
  mv "$CONF.new" "$CONF"
}

# A process whose parent dies while a job is being cancelled is lost to proctrack/linuxproc and would go on; a cluster
# with cgroups loses none. So what carries the job's number in its environment ends with the job, again and again
# until nothing does: the lost one may be starting others.
write_epilog() {
  cat >"$EPILOG" <<'END'
#!/bin/bash
# Begun anew without the number in its own environment, so that it does not find itself.
[[ -n $JOB ]] || exec env -i PATH=/usr/bin:/bin JOB="$SLURM_JOB_ID" "$0"
for _ in {1..20}; do
  files=$(grep -lzxs "SLURM_JOB_ID=$JOB" /proc/[0-9]*/environ)
  [[ -n $files ]] || exit 0
  kill -KILL $(cut -d/ -f3 <<<"$files") 2>/dev/null
  sleep 0.1
done
END
  chmod 755 "$EPILOG"
}

munge_works() { munge -n 2>/dev/null | unmunge >/dev/null 2>&1; }

start_munge() {
  munge_works && return
  local key=/etc/munge/munge.key
  [[ -s $key ]] || { mkdir -p /etc/munge && (umask 077 && head -c 1024 /dev/urandom >"$key"); }
  mkdir -p /run/munge /var/log/munge
  chown munge:munge /run/munge /var/log/munge /etc/munge "$key"
  chmod 755 /run/munge
  chmod 700 /var/log/munge /etc/munge
  chmod 400 "$key"
  runuser -u munge -- munged || fail "munged (authentication) did not start"
  touch "$RUN/munge-is-ours"
  munge_works || fail "munged runs but does not decode its own credentials"
}

node_state() { timeout 5 sinfo --noheader --format=%t 2>/dev/null | head -n 1; }

takes_jobs() { [[ $(node_state) =~ ^(idle|mix|alloc|comp)$ ]]; }

command_start() {
  need_root start
  refuse_foreign
  if is_ours && takes_jobs; then
    say "already running: node $(node_state)"
    return
  fi
  install_slurm
  refuse_foreign # a package may have brought one
  if [[ -z $(living "$RUN/slurmctld.pid" slurmctld) && -z $(living "$RUN/slurmd.pid" slurmd) ]]; then
    write_configuration
    write_epilog
  fi
  start_munge
  # -i: a state file of another SLURM version is dropped, not fatal.
  [[ -n $(living "$RUN/slurmctld.pid" slurmctld) ]] || slurmctld -i || fail "slurmctld (the controller) did not start"
  [[ -n $(living "$RUN/slurmd.pid" slurmd) ]] || slurmd || fail "slurmd (the node) did not start"
  local deadline=$((SECONDS + WAIT_SECONDS))
  until takes_jobs; do
    ((SECONDS < deadline)) || fail "the node is '$(node_state)' after $WAIT_SECONDS s, expected idle; \`scontrol show node\` says:" \
      "$(timeout 5 scontrol show node 2>&1 | grep -E 'State|Reason' | tr '\n' ' ')"
    # A node left `down` or `drain` by an earlier run comes back by this.
    [[ $(node_state) =~ ^(down|drain|drng) ]] && scontrol update nodename=localhost state=resume 2>/dev/null
    sleep 0.5
  done
  say "ready: node $(node_state), $(sinfo --noheader --format='%c CPUs, %m MB')"
}

stop_daemon() {
  local pid deadline=$((SECONDS + 15))
  pid=$(living "$1" "$2") || return 0
  kill "$pid"
  while [[ -n $(living "$1" "$2") ]]; do
    ((SECONDS < deadline)) || { kill -KILL "$pid" 2>/dev/null || true; break; }
    sleep 0.2
  done
}

command_stop() {
  need_root stop
  if ! is_ours; then
    say "nothing of ours runs here"
    return
  fi
  if takes_jobs; then
    scancel --state=PENDING,RUNNING,SUSPENDED 2>/dev/null || true
    local deadline=$((SECONDS + 15))
    while [[ -n $(squeue --noheader 2>/dev/null) ]] && ((SECONDS < deadline)); do sleep 0.5; done
  fi
  stop_daemon "$RUN/slurmd.pid" slurmd
  stop_daemon "$RUN/slurmctld.pid" slurmctld
  if [[ -e $RUN/munge-is-ours ]]; then
    stop_daemon /run/munge/munged.pid munged
  fi
  # Without this, every later snakemake on this machine would wait for the dead controller. The logs stay.
  rm -rf "$CONF" "$RUN" "$SPOOL"
  say "stopped"
}

command_status() {
  local program file
  is_ours || say "$CONF is $([[ -e $CONF ]] && echo 'not ours' || echo 'missing')"
  for program in slurmctld slurmd; do
    file=$RUN/$program.pid
    say "$program: $([[ -n $(living "$file" "$program") ]] && echo "running, pid $(cat "$file")" || echo 'not running')"
  done
  say "munge: $(munge_works && echo 'works' || echo 'does not work')"
  if takes_jobs; then
    say "node: $(node_state)"
  else
    say "node: takes no jobs (state '$(node_state)')"
    exit 3
  fi
}

case ${1:-} in
  start | stop | status) "command_$1" ;;
  *) die "usage: $0 start|stop|status" ;;
esac
