/*
 * ciResults: a step of a shared library that tells how a build, or a part of it, ended.
 *
 *     post { always { ciResults testcase: 'baseos.smoke', item: params.NVR } }
 *
 * to        a bus or a server, see `ci-results publish --help`; default: the variable CI_RESULTS_TO
 * testcase  with its namespace
 * item      what was tested; type: its kind, default koji_build
 * outcome   PASSED, FAILED, ...; default: what the build's result means
 * note      a line for people
 * required  true = a build whose result cannot be told fails; default: it says so and goes on
 *
 * The agent needs `pip install ci-results` (with [amqp] for RabbitMQ). A token for a server is in the
 * variable CI_RESULTS_TOKEN: withCredentials([string(credentialsId: 'ci-results', variable: 'CI_RESULTS_TOKEN')]).
 */
def call(Map given) {
    def told = [to: env.CI_RESULTS_TO, type: 'koji_build', note: '', required: false] + given
    for (name in ['to', 'testcase', 'item']) {
        if (!told[name]) {
            error "ciResults: ${name} is missing"
        }
    }
    def meaning = [
        SUCCESS: 'PASSED', UNSTABLE: 'FAILED', FAILURE: 'FAILED', ABORTED: 'ERROR', NOT_BUILT: 'NEEDS_INSPECTION'
    ]
    def variables = [
        "CI_RESULTS_TO=${told.to}", "CI_RESULTS_TESTCASE=${told.testcase}", "CI_RESULTS_ITEM=${told.item}",
        "CI_RESULTS_TYPE=${told.type}", "CI_RESULTS_NOTE=${told.note}",
        "CI_RESULTS_OUTCOME=${told.outcome ?: meaning[currentBuild.currentResult]}",
    ]
    def status = 0
    withEnv(variables) {
        // Values come by the environment: what a branch or a build is called never becomes a command.
        status = sh label: 'ci-results publish', returnStatus: true, script: '''
            set -eu
            token=
            if [ -n "${CI_RESULTS_TOKEN:-}" ]; then token="--token-env=CI_RESULTS_TOKEN"; fi
            ci-results publish "$CI_RESULTS_TO" $token --testcase="$CI_RESULTS_TESTCASE" \\
                --outcome="$CI_RESULTS_OUTCOME" --item="$CI_RESULTS_ITEM" --type="$CI_RESULTS_TYPE" \\
                --ref-url="$BUILD_URL" --note="$CI_RESULTS_NOTE" \\
                --data="job=$JOB_NAME" --data="build=$BUILD_NUMBER"
        '''
    }
    if (status != 0 && told.required) {
        error "ciResults: the result of ${told.testcase} was not published (exit code ${status})"
    }
    if (status != 0) {
        echo "ciResults: the result of ${told.testcase} was not published (exit code ${status})"
    }
    return status == 0
}
