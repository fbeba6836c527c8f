import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public class AccessListTest {
    private static String copy(String text) {
        return new StringBuilder(text).toString();
    }

    @Test
    public void grantedAction() {
        AccessList list = new AccessList();
        list.grant("ada", "read");
        assertTrue(list.allows(copy("ada"), copy("read")));
    }

    @Test
    public void anyAction() {
        AccessList list = new AccessList();
        list.grant(copy("root"), copy("*"));
        assertTrue(list.allows("root", "write"));
        assertFalse(list.allows("ada", "write"));
    }

    @Test
    public void otherUser() {
        AccessList list = new AccessList();
        list.grant("ada", "read");
        assertFalse(list.allows("bob", "read"));
    }

    @Test
    public void otherAction() {
        AccessList list = new AccessList();
        list.grant("ada", "read");
        assertFalse(list.allows("ada", "write"));
    }

    @Test
    public void nobodyKnown() {
        assertFalse(new AccessList().allows(null, "read"));
    }
}
