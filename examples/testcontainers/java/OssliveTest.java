// A test with the local endpoint in a container, built by `make container`, with
// Testcontainers for Java. Pass the address to the vendor's SDK or to your own code.

import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

class OssliveTest {
    static final String SECRET = "a-secret-of-these-tests";

    public static void main(String[] arguments) throws Exception {
        try (GenericContainer<?> container =
                new GenericContainer<>(DockerImageName.parse("osslive"))
                        .withExposedPorts(9000)
                        .withEnv("OSSLIVE_LOCAL_ACCESS_KEY_SECRET", SECRET)
                        .withEnv("OSSLIVE_LOCAL_CONTROL", "true")
                        .waitingFor(Wait.forHttp("/_osslive/health"))) {
            container.start();
            String endpoint = "http://127.0.0.1:" + container.getMappedPort(9000);
            System.out.println(endpoint);

            // Add faults inside the container: control is not available from outside.
            container.execInContainer(
                    "/osslive", "control", "fault", "add", "GetLiveChannelStat", "--status", "503");
        }
    }
}
