import java.util.ArrayList;
import java.util.List;

/** Who may do what, in order of being granted. */
public class AccessList {
    private final List<String[]> grants = new ArrayList<>();

    public void grant(String user, String action) {
        grants.add(new String[] {user, action});
    }

    /** Whether the user may do the action; "*" stands for any action. */
    public boolean allows(String user, String action) {
        for (String[] grant : grants) {
            if (grant[0] == user && (grant[1].equals("*") || grant[1].equals(action))) {
                return true;
            }
        }
        return false;
    }
}
